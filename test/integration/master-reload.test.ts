// SIGHUP: a new generation proves itself, takes over, and the old one drains; everything is looked up anew.
import { chmodSync, mkdirSync, realpathSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { runWithHeldBoots } from '../helpers/held-boots.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { begin, whoAnswers } from '../helpers/plain-client.ts';
import { appPath, kill, runMaster, temporaryFolder } from '../helpers/run-master.ts';

test('a reload starts a generation, waits until it is ready, and then drains the one before it', async () => {
  const master = runMaster();
  const port = await master.serving();
  const old = await whoAnswers(port);
  const before = master.events.length;
  master.signal('SIGHUP');
  await master.waitFor('workerExited', { generation: 1 });
  expect(
    master.events
      .slice(before)
      .map((event) => ('generation' in event ? `${event.event} ${event.generation}` : event.event)),
  ).toEqual([
    'reloadRequested 2',
    'generationStarted 2',
    'workerStarted 2',
    'workerReady 2',
    'workerAdmitted 2',
    'generationReady 2',
    'workerDraining 1',
    'workerAcceptsNoMore 1',
    'workerExited 1',
  ]);
  expect(master.all('workerExited')).toMatchObject([
    { pid: old.pid, outcome: { code: 0, signal: null }, served: 1, cut: 0 },
  ]);
  const answering = await whoAnswers(port);
  expect(answering).toMatchObject({ generation: 2, pid: await master.workerPid(2) });
  expect(isAlive(old.pid)).toBe(false);
});

test('a request that is in flight at a reload is answered to its end', async () => {
  const master = runMaster();
  const port = await master.serving();
  const { answer } = await begin(port, '/held');
  await master.reload(2);
  await eventually('the new generation answers', async () => (await whoAnswers(port)).generation === 2);
  kill(await master.workerPid(1), 'SIGUSR2');
  expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ cut: 0 });
});

test('a working directory that is a symlink is followed anew at every reload', async () => {
  const folder = temporaryFolder();
  for (const release of ['41', '42']) {
    mkdirSync(join(folder, release));
    writeFileSync(
      join(folder, release, 'app.cjs'),
      `process.env.RELEASE = '${release}';\nrequire(${JSON.stringify(appPath('serves'))}).server.listen(process.env.PORT);\n`,
    );
  }
  const current = join(folder, 'current');
  symlinkSync('41', current);
  const master = runMaster({ flags: ['--cwd', current], command: [process.execPath, 'app.cjs'] });
  const port = await master.serving();
  expect(await whoAnswers(port)).toMatchObject({ release: '41', cwd: realpathSync(join(folder, '41')) });
  symlinkSync('42', join(folder, 'next'));
  renameSync(join(folder, 'next'), current);
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect(await whoAnswers(port)).toMatchObject({ release: '42', cwd: realpathSync(join(folder, '42')) });
});

test('an executable that was replaced, and one that PATH finds elsewhere now, is what a reload starts', async () => {
  const folder = temporaryFolder();
  const install = (place: string, release: string): void => {
    mkdirSync(join(folder, place), { recursive: true });
    const file = join(folder, place, 'my-server');
    writeFileSync(
      `${file}.new`,
      `#!/bin/sh\nRELEASE=${release} exec "${process.execPath}" "${appPath('serves')}"\n`,
    );
    chmodSync(`${file}.new`, 0o755);
    renameSync(`${file}.new`, file);
  };
  const path = [join(folder, 'first'), join(folder, 'second'), process.env['PATH'] ?? ''].join(':');
  install('second', '1');
  const master = runMaster({ command: ['my-server'], env: { PATH: path } });
  const port = await master.serving();
  expect((await whoAnswers(port)).release).toBe('1');
  install('second', '2');
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(port)).release).toBe('2');
  install('first', '3');
  await master.reload(3);
  await master.waitFor('workerExited', { generation: 2 });
  expect((await whoAnswers(port)).release).toBe('3');
});

test('a reload that is asked for before the first generation is ready is carried out after it', async () => {
  const { master, release, bootOn } = runWithHeldBoots({ isHeld: true });
  await master.waitForLine('booting');
  master.signal('SIGHUP');
  await master.waitFor('reloadRequested', { generation: 2, pending: true });
  release();
  await bootOn(1);
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(await master.port())).generation).toBe(2);
});
