// File descriptors run out, or are closed under somebody's feet.
import { expect, test } from 'vitest';
import { readdirSync } from 'node:fs';
import { eventually } from '../helpers/eventually.ts';
import { get, whoAnswers } from '../helpers/plain-client.ts';
import { app, kill, runMaster, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Reloads into each of these generations, and waits until the one before it is gone. */
async function reloadFrom(master: RunningMaster, first: number, last: number): Promise<void> {
  for (let generation = first; generation <= last; generation++) {
    await master.reload(generation);
    await master.waitFor('workerExited', { generation: generation - 1 });
  }
}

/** The master that serves with the fewest file descriptors; those with fewer end with 1, wherever they run out. */
async function serveWithFewest(): Promise<RunningMaster> {
  const probe = runMaster();
  await probe.serving();
  let lastFailure: unknown = null;
  for (let limit = openDescriptors(probe.pid) - 5; ; limit++) {
    const master = runMaster({ through: ['sh', '-c', `ulimit -n ${limit}; exec "$@"`, 'sh'] });
    const isServing = await Promise.race([
      master.serving().then(() => true),
      master.closed.then(() => false),
    ]).catch(() => false);
    if (isServing) {
      // One less, and it was the worker that could not be started.
      expect(lastFailure).toMatchObject({ reason: 'notStarted', errorCode: 'startFailed' });
      return master;
    }
    expect((await master.exited).code).toBe(1);
    lastFailure = master.all('stopped')[0]?.failure ?? null;
  }
}

test('without file descriptors to spare a start fails clearly, and a reload is rolled back', async () => {
  const master = await serveWithFewest();
  const port = await master.port();
  const { pid } = await whoAnswers(port);
  master.signal('SIGHUP');
  // The second worker needs as many as the first, whose own are still open.
  const { failure } = await master.waitFor('generationFailed', { generation: 2 });
  expect(failure).toMatchObject({ reason: 'notStarted', errorCode: 'startFailed' });
  expect(await whoAnswers(port)).toMatchObject({ pid, generation: 1 });
  const before = openDescriptors(master.pid);
  master.signal('SIGHUP');
  await master.waitFor('generationFailed', { generation: 3 });
  expect(openDescriptors(master.pid)).toBe(before);
});

test('reloads leave no file descriptor open in the master', async () => {
  const master = runMaster();
  await master.serving();
  await reloadFrom(master, 2, 2);
  const before = openDescriptors(master.pid);
  await reloadFrom(master, 3, 8);
  // The master may be reading a file of /proc just then, as it does at the end of a worker.
  await eventually('as many as before', () => openDescriptors(master.pid) === before);
});

test('a stranger that holds the channel of workers that have ended keeps nothing open in the master', async () => {
  const [node = '', script = ''] = app('serves');
  // A session of its own: it does not end with the group, and it has inherited every descriptor. (Its stderr, which would be read on, is
  // another one.)
  const master = runMaster({
    command: ['sh', '-c', `setsid sleep 60 2>/dev/null & exec '${node}' '${script}'`],
  });
  await master.serving();
  await reloadFrom(master, 2, 2);
  const before = openDescriptors(master.pid);
  await reloadFrom(master, 3, 5);
  await eventually('as few as before', () => openDescriptors(master.pid) <= before);
  master.signal('SIGTERM');
  await master.exited;
  for (const { pid } of master.processes()) kill(pid);
});

test('an application that closes the listening socket harms itself alone: the next generation serves', async () => {
  const master = runMaster({ command: app('closes-fd-3') });
  const port = await master.serving();
  await get(port, '/close');
  await master.reload(2);
  await master.waitFor('generationReady', { generation: 2 });
  expect((await get(port)).status).toBe(200);
  await master.waitFor('workerExited', { generation: 1 });
});

test('an old worker without a descriptor for another copy of the listener says so: no two generations accept', async () => {
  const [node = '', script = ''] = app('holds-descriptors');
  const master = runMaster({
    command: ['sh', '-c', `ulimit -n 60; exec '${node}' '${script}'`],
    flags: ['--probation', '60s'],
  });
  const port = await master.serving();
  const full = await Wire.connect(port);
  full.get('/fill');
  await full.until('EMFILE');
  await master.reload(2);
  await master.waitFor('workerNotPaused', { generation: 1 });
  await master.waitFor('generationSettled', { generation: 2 });
  await master.waitFor('workerExited', { generation: 1, cut: 0 });
  expect(await whoAnswers(port)).toMatchObject({ generation: 2 });
  full.socket.destroy();
});

test('a worker without a descriptor for the copy of the listener that it asked for gets an error from listen(), and listens later', async () => {
  const [node = '', script = ''] = app('listens-without-descriptors');
  const master = runMaster({ command: ['sh', '-c', `ulimit -n 60; exec '${node}' '${script}'`] });
  const port = await master.serving();
  const pid = await master.workerPid(1);
  kill(pid, 'SIGUSR2');
  await master.waitForLine('cannot listen: EMFILE');
  await master.waitForLine('listens again');
  expect(await whoAnswers(port)).toMatchObject({ pid });
});
