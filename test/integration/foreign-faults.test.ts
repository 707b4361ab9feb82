// What becomes of workers in other languages that do what a worker must not do: the log says it, clients are served on, and nothing is left.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { get } from '../helpers/plain-client.ts';
import { appPath, kill, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts, failuresOf } from '../helpers/tally.ts';
import { mayRun } from '../helpers/required-programs.ts';

const folder = appPath('serves').replace(/serves\.cjs$/, '');
const misbehaves = (...words: readonly string[]): readonly string[] => [
  'python3',
  `${folder}misbehaves.py`,
  ...words,
];
const quickly = ['--startsecs', '300ms', '--drain-timeout', '1s'];

async function pidIn(master: RunningMaster, name: string, count = 1): Promise<number> {
  return Number((await master.waitForLine(`${name} `, count)).split(' ').at(-1));
}

test('a release that forks and exits before it counts as ready fails, its daemon is killed, and no request is lost', async () => {
  const flag = join(temporaryFolder(), 'daemonizes');
  const master = runMaster({ command: misbehaves('daemonizes', flag), flags: ['--startsecs', '2s'] });
  const port = await master.serving();
  const load = startLoad({ port, mode: 'fresh', clients: 4, paceMs: 5 });
  writeFileSync(flag, '');
  master.signal('SIGHUP');
  const { failure } = await master.waitFor('generationFailed', { generation: 2 });
  expect(failure).toMatchObject({ reason: 'exited', outcome: { code: 0 } });
  expect(failure.hint).toContain('foreground');
  const daemon = await pidIn(master, 'daemon');
  expect(await master.waitFor('listenerKept', { generation: 2 })).toMatchObject({
    pids: [daemon],
    killed: true,
  });
  await eventually('the daemon is gone', () => !isAlive(daemon));
  await load.moreAnswers(20);
  expect(failureCounts(await load.stop())).toEqual({});
  expect((await get(port)).body).toMatch(/ 1$/);
});

test('a worker that forks and exits after it has counted as ready is missed, and its daemon killed', async () => {
  const flag = join(temporaryFolder(), 'daemonizes');
  const master = runMaster({
    command: misbehaves('daemonizes', flag, 'late'),
    flags: ['--startsecs', '100ms'],
  });
  const port = await master.serving();
  writeFileSync(flag, '');
  await master.reload(2);
  const daemon = await pidIn(master, 'daemon');
  expect(await master.waitFor('listenerKept', { generation: 2 })).toMatchObject({
    pids: [daemon],
    killed: true,
  });
  await master.waitFor('workerFailed', { generation: 2 });
  await eventually('the daemon is gone', () => !isAlive(daemon));
  unlinkSync(flag);
  expect((await get(port)).body).toMatch(/ 2$/);
});

test('a worker that ignores its drain signal is terminated, then killed', async () => {
  const master = runMaster({ command: misbehaves('ignores-signals'), flags: quickly });
  const port = await master.serving();
  await master.reload(2);
  await master.waitFor('workerTerminated', { generation: 1 });
  await master.waitFor('workerKilled', { generation: 1, reason: 'drainTimeout' });
  await master.waitFor('workerExited', { generation: 1 });
  expect((await get(port)).body).toMatch(/ 2$/);
});

test('a release that is not ready in time may have clients: it gets its drain signal, and SIGKILL only after the drain timeout', async () => {
  const flag = join(temporaryFolder(), 'is-never-ready');
  const master = runMaster({
    command: ['python3', `${folder}notes-signals.py`],
    flags: ['--ready', `exec:test ! -e ${flag}`, '--ready-timeout', '1s', '--drain-timeout', '1s'],
  });
  await master.waitFor('generationReady', { generation: 1 });
  writeFileSync(flag, '');
  master.signal('SIGHUP');
  expect(await master.waitFor('generationFailed', { generation: 2 })).toMatchObject({
    failure: { reason: 'notReady' },
  });
  await master.waitFor('workerDraining', { generation: 2, reason: 'rollback' });
  await master.waitForLine('got TERM');
  const { durationMs } = await master.waitFor('workerTerminated', { generation: 2 });
  expect(durationMs).toBeGreaterThanOrEqual(1_000);
  await master.waitForLine('got TERM', 2);
  await master.waitFor('workerKilled', { generation: 2, reason: 'drainTimeout' });
  expect(await master.waitFor('workerExited', { generation: 2 })).toMatchObject({
    outcome: { signal: 'SIGKILL' },
  });
  const names = master.eventsOf(2).filter((name) => /^worker(Draining|Terminated|Killed|Exited)$/.test(name));
  expect(names).toEqual(['workerDraining', 'workerTerminated', 'workerKilled', 'workerExited']);
  const { workers } = await master.status();
  expect(workers.map(({ generation, state }) => ({ generation, state }))).toEqual([
    { generation: 1, state: 'ready' },
  ]);
});

test('a grandchild that keeps the listener goes with its worker', async () => {
  const master = runMaster({ command: misbehaves('leaves-a-child', 'here'), flags: quickly });
  const port = await master.serving();
  const child = await pidIn(master, 'child');
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  await eventually('the child is gone', () => !isAlive(child));
  for (let request = 0; request < 10; request += 1) expect((await get(port)).body).toMatch(/ 2$/);
});

test('a grandchild in a session of its own that keeps the listener is named', async () => {
  const master = runMaster({ command: misbehaves('leaves-a-child', 'in-a-session'), flags: quickly });
  await master.serving();
  const child = await pidIn(master, 'child');
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect(await master.waitFor('listenerKept', { generation: 1 })).toMatchObject({
    pids: [child],
    killed: false,
  });
  kill(child);
  const later = await pidIn(master, 'child', 2);
  master.signal('SIGTERM');
  expect(await master.waitFor('listenerLeftBehind')).toMatchObject({ pids: [later] });
  await master.exited;
  expect(isAlive(later)).toBe(false);
});

test('a worker that closes the listener for all by shutdown(2) is named, and the listener is opened again: only clients that were in its queue, or came before that, fail', async () => {
  const master = runMaster({ command: misbehaves('shuts-down'), flags: ['--startsecs', '300ms'] });
  const port = await master.serving();
  const load = startLoad({ port, mode: 'fresh', clients: 4 });
  await load.moreAnswers(50);
  master.signal('SIGHUP');
  expect(await master.waitFor('listenerShutDown')).toMatchObject({ port, problem: null });
  // Long before the worker that has done it has ended.
  expect(master.all('workerExited')).toEqual([]);
  expect((await get(port)).body).toMatch(/ 2$/);
  await master.waitFor('workerExited', { generation: 1 });
  const failedBefore = failuresOf(load.tally);
  await load.moreAnswers(100);
  const tally = await load.stop();
  expect(failuresOf(tally)).toBe(failedBefore);
  // A request that a worker has accepted is answered.
  expect([tally.reset + tally.refused, tally.examples]).toEqual([failedBefore, tally.examples]);
  for (let request = 0; request < 10; request += 1) expect((await get(port)).body).toMatch(/ 2$/);
});

test('a process that is none of the worker can say READY=1 if this user may open the socket, and cannot say that it is the worker', async () => {
  const master = runMaster({ command: misbehaves('says-nothing'), flags: ['--ready', 'notify'] });
  await master.waitFor('workerStarted');
  const notify = join(master.runtime, 'graceful-run');
  const say = (message: string): void => {
    const [name = ''] = readdirSync(notify).filter((one) => one.startsWith('notify'));
    execFileSync('python3', ['-c', sends, join(notify, name), message]);
  };
  expect(statSync(notify).mode & 0o077).toBe(0);
  for (const message of ['', '\u0001\u0002=', 'READY', `READY=1${'x'.repeat(100_000)}`]) say(message);
  say(`MAINPID=${process.pid}`);
  const { problem } = await master.waitFor('messageRejected');
  expect(problem).toContain(String(process.pid));
  expect(master.all('workerReady')).toEqual([]);
  say('READY=1');
  const port = await master.serving();
  const [worker] = (await master.status()).workers;
  expect((await get(port)).body).toBe(`says-nothing ${worker?.servingPid ?? worker?.pid} 1`);
});

const sends = [
  'import socket, sys',
  'sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)',
  'sender.sendto(sys.argv[2].encode(), sys.argv[1])',
].join('\n');

const withoutShell = [
  ...['unshare', '--user', '--map-root-user', '--mount', 'bash', '-c'],
  ...['mount --bind /dev/null "$(readlink -f /bin/sh)" && exec "$@"', 'bash'],
];

test.runIf(mayRun(spawnSync(withoutShell[0] ?? '', [...withoutShell.slice(1), 'true']).status === 0))(
  'without /bin/sh a worker still learns its LISTEN_PID, and is replaced without a failed request',
  async () => {
    const master = runMaster({
      command: ['/usr/bin/python3', `${folder}serves.py`],
      flags: ['--startsecs', '300ms'],
      through: withoutShell,
    });
    const port = await master.serving();
    const load = startLoad({ port, mode: 'fresh', clients: 4, paceMs: 5 });
    await load.moreAnswers(20);
    await master.reload(2);
    await master.waitFor('workerExited', { generation: 1 });
    await load.moreAnswers(20);
    expect(failureCounts(await load.stop())).toEqual({});
  },
);

test('a start without descriptors for a socket of each worker fails with that reason', async () => {
  const master = runMaster({
    command: misbehaves('says-nothing'),
    flags: ['--reuse-port', '--workers', '200'],
    through: ['sh', '-c', 'ulimit -n 100; exec "$@"', 'sh'],
  });
  expect((await master.exited).code).toBe(1);
  expect(master.output).toContain('EMFILE');
  expect(master.output).toContain('ulimit -n');
});

test('with --drain-signal none an old worker gets no signal until the drain timeout, is then told to end, and cuts its requests', async () => {
  const master = runMaster({
    command: misbehaves('says-nothing'),
    flags: [...quickly, '--drain-signal', 'none'],
  });
  const port = await master.serving();
  const unanswered = get(port, '/unanswered');
  unanswered.catch(() => undefined);
  await pidIn(master, 'unanswered');
  await master.reload(2);
  const { durationMs } = await master.waitFor('workerTerminated', { generation: 1 });
  expect(durationMs).toBeGreaterThanOrEqual(1_000);
  const { outcome } = await master.waitFor('workerExited', { generation: 1 });
  expect(outcome).toEqual({ code: null, signal: 'SIGTERM' });
  await expect(unanswered).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect((await get(port)).body).toMatch(/ 2$/);
});
