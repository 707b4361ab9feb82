import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  clientFolders,
  controlFile,
  controlFolders,
  controlName,
  folderProblem,
} from '../../../src/shared/control-path.ts';

const temp = (uid: number): string => join(tmpdir(), `graceful-run-${uid}`);

test.each([
  [{}, 1_000, [temp(1_000)]],
  [{}, 0, ['/run/graceful-run', temp(0)]],
  [{ XDG_RUNTIME_DIR: '/run/user/1000' }, 1_000, ['/run/user/1000/graceful-run', temp(1_000)]],
  [{ XDG_RUNTIME_DIR: '' }, 1_000, [temp(1_000)]],
  [{ XDG_RUNTIME_DIR: '/x', GRACEFUL_RUN_CONTROL_FOLDER: '/srv/control' }, 0, ['/srv/control']],
])('with %j user %d looks in %j', (environment, uid, folders) => {
  expect(controlFolders(environment, uid)).toEqual(folders);
});

test.each([
  [{}, 1_000, [temp(1_000), '/run/user/1000/graceful-run']],
  [{ XDG_RUNTIME_DIR: '/run/user/1000' }, 1_000, ['/run/user/1000/graceful-run', temp(1_000)]],
  [{ XDG_RUNTIME_DIR: '/x', GRACEFUL_RUN_CONTROL_FOLDER: '/srv/control' }, 0, ['/srv/control']],
])('with %j a client of user %d looks in %j', (environment, uid, folders) => {
  expect(clientFolders(environment, uid)).toEqual(folders);
});

test('a name and its file belong together, and no other file is a control socket', () => {
  expect(controlName(`/x/${controlFile('web.2')}`)).toBe('web.2');
  for (const file of ['web', '.sock', '.new.sock', 'a b.sock', 'web.sock.bak'])
    expect(controlName(file)).toBe(null);
});

const good = { isFolder: true, isLink: false, uid: 7, mode: 0o40700 };

test.each([
  [{}, true],
  [{ mode: 0o40755 }, true],
  [{ mode: 0o40770 }, false],
  [{ mode: 0o41777 }, false],
  [{ uid: 8 }, false],
  [{ isFolder: false }, false],
  [{ isFolder: false, isLink: true }, false],
])('a folder with %j is trusted: %s', (difference, isTrusted) => {
  expect(folderProblem({ ...good, ...difference }, 7) === null).toBe(isTrusted);
});
