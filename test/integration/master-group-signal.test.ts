// SIGTERM that comes to a worker and not from its master, as systemd's default sends it to all processes of a service.
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { readProcessStat } from '../../src/shared/process-stat.ts';
import { node } from '../clients/fixture.ts';
import { eventually } from '../helpers/eventually.ts';
import { get, whoAnswers } from '../helpers/plain-client.ts';
import { app, appPath, kill, runMaster, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

async function hold(port: number): Promise<Wire> {
  const wire = await Wire.connect(port);
  wire.get('/held');
  await wire.until('begun');
  return wire;
}

/** The pid of the worker that serves beside `worker`. */
async function otherPid(master: RunningMaster, worker: number): Promise<number | null | undefined> {
  return (await master.status()).workers.find(({ pid }) => pid !== worker)?.pid;
}

test.each(['worker first', 'master first'])(
  'to worker and master: what is in flight is finished (%s)',
  async (order) => {
    const master = runMaster();
    const wire = await hold(await master.serving());
    const worker = await master.workerPid(1);
    const both = [
      () => process.kill(worker, 'SIGTERM'),
      () => {
        master.signal('SIGTERM');
      },
    ];
    for (const signal of order === 'worker first' ? both : both.reverse()) signal();
    await master.waitFor('workerAcceptsNoMore', { generation: 1 });
    process.kill(worker, 'SIGUSR2');
    await wire.until('ended');
    wire.socket.destroy();
    expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({
      outcome: { code: 0 },
      cut: 0,
    });
    expect(await master.exited).toEqual({ code: 0, signal: null });
  },
);

test('to a worker alone: it is draining, another takes its place at once, and what is in flight is finished', async () => {
  const master = runMaster();
  const port = await master.serving();
  const wire = await hold(port);
  const worker = await master.workerPid(1);
  process.kill(worker, 'SIGTERM');
  expect(await master.waitFor('workerDraining', { generation: 1 })).toMatchObject({
    pid: worker,
    reason: 'signal',
  });
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  // The request in flight holds it: the other one serves already.
  const next = await Wire.connect(port);
  next.get('/');
  await next.until('}');
  expect(next.received).not.toContain(`"pid":${worker},`);
  next.socket.destroy();
  expect((await master.status()).workers.map(({ state }) => state).sort()).toEqual(['draining', 'ready']);
  process.kill(worker, 'SIGUSR2');
  await wire.until('ended');
  wire.socket.destroy();
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ pid: worker, cut: 0 });
  expect(master.all('workerFailed')).toEqual([]);
  expect(master.all('restartScheduled')).toEqual([]);
});

test('an idle connection of a worker that gets SIGTERM alone moves to the one that takes its place', async () => {
  const master = runMaster();
  const port = await master.serving();
  const worker = await master.workerPid(1);
  const wire = await Wire.connect(port);
  wire.get('/');
  await wire.until('}');
  process.kill(worker, 'SIGTERM');
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({
    pid: worker,
    migrated: 1,
    cut: 0,
  });
  wire.get('/');
  await wire.until(`"pid":${await otherPid(master, worker)},`);
  expect(wire.received).not.toContain('Connection: close');
  wire.socket.destroy();
});

test('what an application cuts that ends itself at SIGTERM, at the drain timeout, is counted', async () => {
  const master = runMaster({ command: app('exits-at-sigterm'), flags: ['--drain-timeout', '300ms'] });
  const port = await master.serving();
  const [wire, answered] = [await hold(port), await Wire.connect(port)];
  answered.get('/');
  await answered.until('}');
  answered.socket.destroy();
  await master.reload(2);
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({
    outcome: { code: 0 },
    served: 1,
    cut: 1,
  });
  await wire.closed;
});

/** The master and all that it has started, those that were started last first. */
function treeOf(master: RunningMaster): readonly number[] {
  return master
    .processes()
    .flatMap(({ pid }) => readProcessStat(pid) ?? [])
    .sort((left, right) => right.startedAt - left.startedAt || right.pid - left.pid)
    .map(({ pid }) => pid);
}

/** Sends a signal to every process that the master has started, those that were started last first, and then to itself. */
function signalTree(master: RunningMaster, signal: NodeJS.Signals): void {
  for (const pid of treeOf(master)) process.kill(pid, signal);
}

const behindShell = ['sh', '-c', '"$@"; exit $?', 'sh', ...app('serves')];

// pm2 sends SIGINT, concurrently what it gets itself, or SIGTERM with --kill-others.
test.each([
  ['SIGINT', 'a program', app('serves')],
  ['SIGTERM', 'a program', app('serves')],
  ['SIGINT', 'a program behind a shell', behindShell],
  ['SIGTERM', 'a program behind a shell', behindShell],
] as const)(
  '%s to the whole process tree of %s: what is in flight is finished, and no process is left',
  async (signal, _, command) => {
    const master = runMaster({ command });
    const port = await master.serving();
    const wire = await hold(port);
    const { pid: serving } = await whoAnswers(port);
    signalTree(master, signal);
    await master.waitFor('stopRequested');
    await master.waitFor('listenersClosed');
    process.kill(serving, 'SIGUSR2');
    await wire.until('ended');
    wire.socket.destroy();
    expect(await master.waitFor('workerExited')).toMatchObject({ from: 'draining', cut: 0 });
    expect(await master.exited).toEqual({ code: 0, signal: null });
    await master.workersGone();
  },
);

test('SIGUSR2 to the whole process tree, as nodemon restarts: what is in flight is finished, and a new worker serves', async () => {
  const master = runMaster({ command: node('wrappers/answers-slowly.cjs') });
  const port = await master.serving();
  const slow = get(port, '/slow');
  await master.waitForLine('slow begins');
  signalTree(master, 'SIGUSR2');
  expect(await slow).toMatchObject({ status: 200, body: 'slow' });
  expect(await master.waitFor('workerExited')).toMatchObject({ from: 'draining', cut: 0 });
  expect(await get(port)).toMatchObject({ body: 'fast' });
  expect(master.all('workerStarted').length).toBeGreaterThan(1);
  // The master has got it, too. While Node.js starts anew, the SIGTERM of the end of this test would kill it.
  await master.waitFor('masterUpgraded');
});

test('SIGTERM to the shell that started a worker, alone: what is in flight is finished, and another worker serves', async () => {
  const master = runMaster({ command: behindShell });
  const port = await master.serving();
  const wire = await hold(port);
  const { pid: serving } = await whoAnswers(port);
  process.kill(await master.workerPid(1), 'SIGTERM');
  expect(await master.waitFor('workerDraining', { generation: 1 })).toMatchObject({ reason: 'signal' });
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  expect(await get(port)).toMatchObject({ status: 200 });
  process.kill(serving, 'SIGUSR2');
  await wire.until('ended');
  wire.socket.destroy();
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ from: 'draining', cut: 0 });
  expect(master.all('workerFailed')).toEqual([]);
});

test.skipIf(process.platform !== 'linux')(
  'a program that has outlived its shell has ended when it ends, though a helper of the shell lives on and holds the channel',
  async () => {
    const script = `setsid sleep 300 & '${process.execPath}' '${appPath('serves')}'; true`;
    const master = runMaster({ command: ['sh', '-c', script] });
    await master.serving();
    const shell = await master.workerPid(1);
    onTestFinished(() => {
      for (const { pid } of master.processes())
        if (readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n') kill(pid);
    });
    kill(shell, 'SIGTERM');
    expect(await master.waitFor('workerExited', { pid: shell })).toMatchObject({ from: 'draining', cut: 0 });
  },
);

test('to a shell alone: a program that is not Node.js gets the signal on which it drains', async () => {
  const script = `$SIG{TERM} = sub { print "drains\\n"; exit 0 }; $| = 1; print "runs\\n"; sleep 1 while 1`;
  const master = runMaster({
    command: ['sh', '-c', '"$@"; exit $?', 'sh', 'perl', '-e', script],
    flags: ['--startsecs', '300ms'],
  });
  await master.waitForLine('runs');
  await eventually('the program is known', async () => {
    const [worker] = (await master.status()).workers;
    return typeof worker?.servingPid === 'number';
  });
  kill(await master.workerPid(1), 'SIGTERM');
  await master.waitForLine('drains');
  await master.waitForLine('runs', 2);
});
