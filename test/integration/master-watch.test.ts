// --watch: content that changed and has settled is reloaded, through the same gate as any other reload.
import {
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { appPath, runMaster, temporaryFolder } from '../helpers/run-master.ts';

function source(release: string): string {
  return `process.env.RELEASE = '${release}';\nrequire(${JSON.stringify(appPath('serves'))}).server.listen(process.env.PORT);\n`;
}

test("without a path the program's own file is watched, and an edit reloads", async () => {
  const file = join(temporaryFolder(), 'app.cjs');
  writeFileSync(file, source('1'));
  const master = runMaster({ flags: ['--watch'], command: [process.execPath, file] });
  const port = await master.serving();
  expect(master.all('watchStarted')).toMatchObject([{ paths: [file] }]);
  writeFileSync(file, source('2'));
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(port)).release).toBe('2');
  expect(master.all('reloadRequested')).toMatchObject([{ cause: 'watch' }]);
  expect(master.all('fileChanged')).toMatchObject([{ path: file }]);
});

test('a touch, the same content anew, and the files of an editor change nothing', async () => {
  const folder = temporaryFolder();
  const [touched, edited] = [join(folder, 'touched'), join(folder, 'edited')];
  for (const file of [touched, edited]) writeFileSync(file, '1');
  const master = runMaster({ flags: ['--watch', touched, '--watch', edited] });
  await master.serving();
  utimesSync(touched, new Date(), new Date());
  writeFileSync(touched, '1');
  writeFileSync(`${touched}.swp`, 'an editor');
  // Of several changes the first path is told: if the touch were one, it would be that.
  writeFileSync(edited, '2');
  expect(await master.waitFor('fileChanged')).toMatchObject({ path: edited });
  await master.waitFor('workerExited', { generation: 1 });
  expect(master.all('fileChanged')).toHaveLength(1);
});

test('a symlink that moves to another release reloads', async () => {
  const folder = temporaryFolder();
  for (const release of ['41', '42']) {
    mkdirSync(join(folder, release));
    writeFileSync(join(folder, release, 'app.cjs'), source(release));
  }
  const current = join(folder, 'current');
  symlinkSync('41', current);
  const master = runMaster({ flags: ['--watch', '--cwd', current], command: [process.execPath, 'app.cjs'] });
  const port = await master.serving();
  symlinkSync('42', join(folder, 'next'));
  renameSync(join(folder, 'next'), current);
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(port)).release).toBe('42');
});

test('a broken edit is rolled back, and the edit that mends it is reloaded', async () => {
  const file = join(temporaryFolder(), 'app.cjs');
  writeFileSync(file, source('1'));
  const master = runMaster({ flags: ['--watch'], command: [process.execPath, file] });
  const port = await master.serving();
  writeFileSync(file, 'this is not JavaScript');
  await master.waitFor('generationFailed', { generation: 2 });
  expect((await whoAnswers(port)).release).toBe('1');
  writeFileSync(file, source('3'));
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(port)).release).toBe('3');
});

test('npm start is reloaded when the entry of the package changes', async () => {
  const folder = temporaryFolder();
  const entry = join(folder, 'server.cjs');
  writeFileSync(entry, source('1'));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'app', scripts: { start: 'node server.cjs' } }),
  );
  const master = runMaster({ flags: ['--watch'], command: ['npm', 'start'], cwd: folder });
  const port = await master.serving();
  expect(master.all('watchStarted')).toMatchObject([{ paths: [entry] }]);
  writeFileSync(entry, source('2'));
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(port)).release).toBe('2');
});

test('paths that are named are watched instead', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'lib'));
  const library = join(folder, 'lib', 'part.cjs');
  writeFileSync(library, 'exports.part = 1;');
  const master = runMaster({ flags: ['--watch', join(folder, 'lib')] });
  await master.serving();
  writeFileSync(library, 'exports.part = 2;');
  expect(await master.waitFor('fileChanged')).toMatchObject({ path: library });
  await master.waitFor('generationReady', { generation: 2 });
});

test('a stop does not wait until a file that takes minutes to read was read', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'huge');
  writeFileSync(file, '');
  // Nothing of it is on the disk.
  truncateSync(file, 2 ** 38);
  const begun = runMaster({ flags: ['--watch', folder] });
  await eventually('it is being started', () =>
    begun.status().then(
      ({ phase }) => phase === 'idle',
      () => false,
    ),
  );
  begun.signal('SIGTERM');
  expect(await begun.exited).toEqual({ code: 0, signal: null });

  truncateSync(file, 0);
  const serves = runMaster({ flags: ['--watch', folder] });
  await serves.serving();
  truncateSync(file, 2 ** 38);
  await eventually('the file is being read', () => readsOf(serves.pid) > 2 ** 24);
  serves.signal('SIGTERM');
  expect(await serves.exited).toEqual({ code: 0, signal: null });
});

/** How many bytes a process has read so far: proc_pid_io(5). */
function readsOf(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}
