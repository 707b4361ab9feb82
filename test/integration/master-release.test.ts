// Releases that are deployed by a symlink: the log and the status say which one each generation runs.
import { copyFileSync, mkdirSync, realpathSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { runWithHeldBoots } from '../helpers/held-boots.ts';
import { appPath, kill, runMaster, temporaryFolder } from '../helpers/run-master.ts';

/** A folder with releases, and `current`, which points to the first. */
function releases(...names: readonly string[]): { root: string; link: (name: string) => void } {
  const root = realpathSync(temporaryFolder());
  for (const name of names) {
    mkdirSync(join(root, name));
    copyFileSync(appPath('serves'), join(root, name, 'app.cjs'));
  }
  const link = (name: string): void => {
    symlinkSync(join(root, name), join(root, 'next'));
    renameSync(join(root, 'next'), join(root, 'current'));
  };
  link(names[0] ?? '');
  return { root, link };
}

test('a generation is announced with its resolved directory and program file, and whether they have changed', async () => {
  const { root, link } = releases('41', '42');
  const master = runMaster({
    flags: ['--cwd', join(root, 'current')],
    command: [process.execPath, 'app.cjs'],
  });
  await master.serving();
  const first = { cwd: join(root, '41'), file: join(root, '41', 'app.cjs'), changed: null };
  expect((await master.waitFor('generationStarted', { generation: 1 })).release).toEqual(first);
  expect((await master.status()).release).toEqual(first);

  link('42');
  // What is resolved at the start is what is told, whatever the link says later.
  await master.reload(2);
  link('41');
  const second = { cwd: join(root, '42'), file: join(root, '42', 'app.cjs'), changed: true };
  expect((await master.waitFor('generationReady', { generation: 2 })).release).toEqual(second);
  expect(await master.status()).toMatchObject({ release: second, lastReload: { release: second } });

  link('42');
  await master.reload(3);
  expect((await master.status()).release).toEqual({ ...second, changed: false });
  writeFileSync(
    join(root, '42', 'app.cjs'),
    `require(${JSON.stringify(appPath('serves'))}).server.listen(process.env.PORT);`,
  );
  await master.reload(4);
  expect((await master.status()).release).toEqual(second);
});

test('a reload that fails names the release that failed, while the status names the one that serves', async () => {
  const { root, link } = releases('41', '42');
  writeFileSync(join(root, '42', 'app.cjs'), 'process.exit(3)');
  const master = runMaster({
    flags: ['--cwd', join(root, 'current')],
    command: [process.execPath, 'app.cjs'],
  });
  await master.serving();
  link('42');
  master.signal('SIGHUP');
  const failed = { cwd: join(root, '42'), file: join(root, '42', 'app.cjs'), changed: true };
  expect((await master.waitFor('generationFailed', { generation: 2 })).release).toEqual(failed);
  expect(await master.status()).toMatchObject({
    release: { cwd: join(root, '41') },
    lastReload: { ok: false, release: failed },
  });
});

test('a release whose directory is gone is named as it was asked for', async () => {
  const { root, link } = releases('41');
  const master = runMaster({
    flags: ['--cwd', join(root, 'current')],
    command: [process.execPath, 'app.cjs'],
  });
  await master.serving();
  link('42');
  master.signal('SIGHUP');
  expect((await master.waitFor('generationFailed', { generation: 2 })).release).toEqual({
    cwd: join(root, 'current'),
    file: null,
    changed: true,
  });
});

test('a worker that replaces a crashed one after the release was switched is told apart, until the next reload', async () => {
  const { root, link } = releases('41', '42');
  const master = runMaster({
    flags: ['--cwd', join(root, 'current')],
    command: [process.execPath, 'app.cjs'],
  });
  await master.serving();
  link('42');
  kill(await master.workerPid(1), 'SIGKILL');
  await eventually('a replacement is ready', () => master.all('workerReady').length === 2);
  const [, replacement] = master.all('workerReady');
  const status = await master.status();
  expect(status.release).toMatchObject({ cwd: join(root, '41') });
  expect(status.workers).toMatchObject([
    {
      pid: replacement?.pid ?? null,
      otherRelease: { cwd: join(root, '42'), file: join(root, '42', 'app.cjs') },
    },
  ]);
  await master.reload(2);
  expect((await master.status()).workers.find(({ generation }) => generation === 2)?.otherRelease).toBe(null);
});

test('a generation that was requested while the first one started is compared with it', async () => {
  const { master, release, bootOn } = runWithHeldBoots({ isHeld: true });
  await master.waitForLine('booting');
  master.signal('SIGHUP');
  await master.waitFor('reloadRequested');
  release();
  await bootOn(1);
  expect((await master.waitFor('generationStarted', { generation: 2 })).release?.changed).toBe(false);
});
