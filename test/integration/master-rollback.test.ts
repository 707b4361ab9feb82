// A new generation that fails is killed with its group, the log says why, and the old one never stopped serving.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Failure } from '../../src/shared/events.ts';
import { freePort, whoAnswers } from '../helpers/plain-client.ts';
import {
  app,
  appPath,
  envFileFlag,
  runMaster,
  temporaryFolder,
  type RunningMaster,
} from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';

/** A release in a folder of its own, with a runtime and an env file that can be taken away. */
class Release {
  readonly folder: string = temporaryFolder();
  readonly cwd: string = join(this.folder, 'release');
  readonly envFile: string = join(this.folder, 'env');
  readonly node: string = join(this.folder, 'node');

  constructor() {
    mkdirSync(this.cwd);
    writeFileSync(this.envFile, '');
    symlinkSync(process.execPath, this.node);
    this.install('serves');
  }

  install(name: string): void {
    symlinkSync(appPath(name), join(this.cwd, 'next'));
    renameSync(join(this.cwd, 'next'), join(this.cwd, 'app.cjs'));
  }

  breakScript(): void {
    rmSync(join(this.cwd, 'app.cjs'));
    writeFileSync(join(this.cwd, 'app.cjs'), 'this is not JavaScript');
  }

  run(...flags: readonly string[]): RunningMaster {
    return runMaster({
      flags: ['--cwd', this.cwd, envFileFlag, this.envFile, ...flags],
      command: [this.node, 'app.cjs'],
    });
  }
}

/** Reloads into a release that fails, under load; returns why it failed. */
async function reloadInVain(master: RunningMaster, spoil: () => void): Promise<Failure> {
  const port = await master.serving();
  const { pid } = await whoAnswers(port);
  const loads = [
    startLoad({ port, mode: 'fresh', clients: 2 }),
    startLoad({ port, mode: 'keepAlive', clients: 2 }),
  ];
  await Promise.all(loads.map((load) => load.moreAnswers(5)));
  spoil();
  master.signal('SIGHUP');
  const { failure } = await master.waitFor('generationFailed', { generation: 2 });
  await Promise.all(loads.map((load) => load.moreAnswers(5)));
  for (const load of loads) expect(failureCounts(await load.stop())).toEqual({});
  expect(await whoAnswers(port)).toMatchObject({ pid, generation: 1 });
  expect(await master.status()).toMatchObject({
    phase: 'serving',
    generation: 1,
    lastReload: { ok: false, generation: 2, failure },
  });
  // With the worker's last lines, which the log has in the same stream already.
  const { lastReload } = await master.status();
  if (lastReload?.failure == null) throw new Error('the status does not tell the failure');
  return lastReload.failure;
}

test('a generation that exits is rolled back, with its exit code and the last 20 lines of its stderr', async () => {
  const release = new Release();
  const failure = await reloadInVain(release.run(), () => {
    release.install('exits-before-ready');
  });
  expect(failure).toMatchObject({ reason: 'exited', outcome: { code: 7, signal: null } });
  expect(failure.stderrTail).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 11}`));
});

test('a generation that is not ready in time is killed, with what it has started', async () => {
  const release = new Release();
  const master = release.run('--ready-timeout', '1s');
  const failure = await reloadInVain(master, () => {
    release.install('never-ready');
  });
  expect(failure).toMatchObject({ reason: 'notReady', stderrTail: ['not getting ready'] });
  const exited = await master.waitFor('workerExited', { generation: 2 });
  expect(exited.outcome).toEqual({ code: null, signal: 'SIGKILL' });
  expect(master.processes()).toHaveLength(2);
});

test('a script that does not parse is rolled back, with the words of Node.js', async () => {
  const release = new Release();
  const failure = await reloadInVain(release.run(), () => {
    release.breakScript();
  });
  expect(failure).toMatchObject({ reason: 'exited', outcome: { code: 1, signal: null } });
  expect(failure.stderrTail.join('\n')).toContain('SyntaxError');
});

test('a command that has vanished is rolled back', async () => {
  const release = new Release();
  const failure = await reloadInVain(release.run(), () => {
    rmSync(release.node);
  });
  expect(failure).toMatchObject({ reason: 'notStarted', errorCode: 'commandNotFound', outcome: null });
});

test('a working directory that has vanished is rolled back', async () => {
  const release = new Release();
  const failure = await reloadInVain(release.run(), () => {
    renameSync(release.cwd, join(release.folder, 'gone'));
  });
  expect(failure).toMatchObject({ reason: 'notStarted', errorCode: 'cwdMissing', outcome: null });
});

test('an env file that has vanished is rolled back', async () => {
  const release = new Release();
  const failure = await reloadInVain(release.run(), () => {
    rmSync(release.envFile);
  });
  expect(failure).toMatchObject({ reason: 'notStarted', errorCode: 'envFileUnreadable', outcome: null });
});

test('after a rollback a release that works is loaded as ever', async () => {
  const release = new Release();
  const master = release.run();
  await reloadInVain(master, () => {
    release.install('exits-before-ready');
  });
  release.install('serves');
  await master.reload(3);
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(await master.port())).generation).toBe(3);
});

test.for([{}, { LATE: '1' }])(
  'a worker that dies of a second port, which the old one holds, was never ready: %o',
  async (how) => {
    const master = runMaster({
      command: app('two-ports'),
      env: { ...how, SECOND: String(await freePort()) },
    });
    const port = await master.serving();
    const { pid } = await whoAnswers(port);
    const { failure } = await reloadFailed(master);
    expect(failure).toMatchObject({ reason: 'exited', outcome: { code: 1 } });
    expect(await whoAnswers(port)).toMatchObject({ pid, generation: 1 });
  },
);

test('a worker that does without its second port becomes ready', async () => {
  const master = runMaster({
    command: app('two-ports'),
    env: { HANDLED: '1', SECOND: String(await freePort()) },
  });
  await master.serving();
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(await master.port())).generation).toBe(2);
});

async function reloadFailed(master: RunningMaster): Promise<{ readonly failure: Failure }> {
  master.signal('SIGHUP');
  return master.waitFor('generationFailed', { generation: 2 });
}
