// Programs that say by sd_notify(3) how far they are. Each test runs the real program.
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { get } from '../helpers/plain-client.ts';
import { appPath, kill, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';

const folder = appPath('serves').replace(/serves\.cjs$/, '');
const python = ['python3', `${folder}serves.py`];
const says = (...words: readonly string[]): readonly string[] => [
  'python3',
  `${folder}notifies.py`,
  ...words,
];

function socketsOf(master: RunningMaster): readonly string[] {
  return readdirSync(join(master.runtime, 'graceful-run')).filter((name) => name.startsWith('notify'));
}

test('a program that sends READY=1 is ready then, and its socket is gone when it is', async () => {
  const master = runMaster({ command: says('sleep:0.5', 'READY=1'), flags: ['--ready', 'notify'] });
  const { durationMs } = await master.waitFor('generationReady', { generation: 1 });
  expect(durationMs).toBeGreaterThanOrEqual(500);
  expect((await get(await master.port())).body).toMatch(/^python/);
  expect(socketsOf(master)).toHaveLength(1);
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect(socketsOf(master)).toHaveLength(1);
});

test('the socket that a killed master has left behind is removed by the next one', async () => {
  const runtime = temporaryFolder();
  const options = { runtime, command: says('READY=1'), flags: ['--ready', 'notify'] };
  const killed = runMaster({ ...options, name: 'web' });
  await killed.serving();
  const [left] = socketsOf(killed);
  const worker = await killed.workerPid(1);
  const beside = runMaster({ ...options, name: 'other' });
  await beside.serving();
  killed.signal('SIGKILL');
  await killed.exited;
  kill(worker);
  const next = runMaster({ ...options, name: 'web' });
  await next.serving();
  await eventually('removed', () => !socketsOf(next).includes(left ?? ''));
  // Those of the masters that run are there.
  expect(socketsOf(next)).toHaveLength(2);
});

test('systemd-notify of a shell script is understood, its barrier included', async () => {
  const master = runMaster({
    command: ['sh', '-c', `systemd-notify --ready --status=up; exec ${python.join(' ')}`],
    flags: ['--startsecs', '60s', '--ready-timeout', '10s'],
  });
  await master.serving();
});

test('once a program has said anything, being alive is not enough, and it is ready when it says so', async () => {
  const master = runMaster({
    command: says('STATUS=loading', 'sleep:3', 'READY=1'),
    flags: ['--startsecs', '2s'],
  });
  const { durationMs } = await master.waitFor('generationReady', { generation: 1 });
  expect(durationMs).toBeGreaterThanOrEqual(3_000);
});

test('the last status is in the reason when it is not ready in time', async () => {
  const master = runMaster({
    command: says('STATUS=waiting for the database', 'ERRNO=111\nSTATUS=no database'),
    flags: ['--ready', 'notify', '--ready-timeout', '1s'],
  });
  const { failure } = await master.waitFor('generationFailed');
  expect(failure.reason).toBe('notReady');
  expect(failure.message).toContain('no database');
  expect(failure.message).toContain('111');
  expect((await master.exited).code).toBe(1);
});

test('a program that asks for more time gets it', async () => {
  const master = runMaster({
    command: says('EXTEND_TIMEOUT_USEC=10000000', 'sleep:2', 'READY=1'),
    flags: ['--ready', 'notify', '--ready-timeout', '1s'],
  });
  const { durationMs } = await master.waitFor('generationReady');
  expect(durationMs).toBeGreaterThanOrEqual(2_000);
});

test('datagrams that mean nothing do no harm, and none of them makes the program ready', async () => {
  const master = runMaster({
    command: says(
      'bytes:00ff00ff0a0a3d3d3d',
      'bytes:524541445900',
      'huge:20000',
      'NO_SUCH_KEY=1',
      'READY=0',
      'READY',
      'MAINPID=99999999999999999999',
      'EXTEND_TIMEOUT_USEC=-1',
      'sleep:0.5',
      'READY=1',
    ),
    flags: ['--ready', 'notify'],
  });
  const { durationMs } = await master.waitFor('generationReady');
  expect(durationMs).toBeGreaterThanOrEqual(500);
  expect((await get(await master.port())).status).toBe(200);
});

test('MAINPID has to be one of its processes, and FDSTORE is refused once', async () => {
  const master = runMaster({
    command: says('MAINPID=1', 'FDSTORE=1', 'FDSTORE=1', 'MAINPID:PID', 'READY=1'),
    flags: ['--ready', 'notify'],
  });
  await master.serving();
  const problems = master.all('messageRejected').map(({ problem }) => problem);
  expect(problems).toHaveLength(2);
  expect(problems[0]).toContain('MAINPID=1');
  expect(problems[1]).toContain('FDSTORE');
});

test('a worker that says that it stops is replaced at once, and is not told to stop again', async () => {
  const master = runMaster({
    command: [
      'sh',
      '-c',
      `systemd-notify --ready; trap 'exit 3' TERM; sleep 0.5; systemd-notify --pid=$$ STOPPING=1; i=0; while [ $i -lt 10 ]; do sleep 0.1; i=$((i+1)); done`,
    ],
    flags: ['--ready', 'notify', '--drain-timeout', '20s'],
  });
  await master.waitFor('workerDraining', { generation: 1, reason: 'signal' });
  const { outcome } = await master.waitFor('workerExited', { generation: 1 });
  expect(outcome).toEqual({ code: 0, signal: null });
});

test('a plain Node.js program has no socket for notifications', async () => {
  const master = runMaster();
  await master.serving();
  expect(socketsOf(master)).toEqual([]);
});

test('with --ready notify, Node.js has to listen and to notify, and is gated', async () => {
  const app = `require(${JSON.stringify(appPath('serves'))}).server.listen(process.env.PORT, () => setTimeout(() => require('node:child_process').execFileSync('systemd-notify', ['--ready']), 500));`;
  const master = runMaster({ command: ['node', '-e', app], flags: ['--ready', 'notify'] });
  const { durationMs } = await master.waitFor('generationReady');
  expect(durationMs).toBeGreaterThanOrEqual(500);
  await master.waitFor('workerAdmitted');
});

test('a program that says that it reloads its configuration is ready once it sends READY=1', async () => {
  const master = runMaster({
    command: says('RELOADING=1', 'sleep:2', 'READY=1'),
    flags: ['--startsecs', '1s'],
  });
  const { durationMs } = await master.waitFor('generationReady', { generation: 1 });
  expect(durationMs).toBeGreaterThanOrEqual(2_000);
  expect((await get(await master.port())).body).toMatch(/^python/);
});

/** A Python program that can `say()` something and `tell()` the test something. */
function script(...lines: readonly string[]): readonly string[] {
  const common = [
    'import os, signal, socket, sys, time',
    'def say(message):',
    '    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:',
    '        sender.sendto(message.encode(), os.environ["NOTIFY_SOCKET"])',
    'def tell(what):',
    '    os.write(2, f"{what}\\n".encode())',
    // Blocked from the start: no signal is lost.
    'signals = [signal.SIGTERM, signal.SIGUSR1]',
    'signal.pthread_sigmask(signal.SIG_BLOCK, signals)',
  ];
  return ['python3', '-c', [...common, ...lines].join('\n')];
}

test('the process that MAINPID names gets the drain signal, and its parent does not', async () => {
  const master = runMaster({
    command: script(
      'child = os.fork()',
      'if child == 0:',
      '    tell("the child got " + signal.sigwait(signals).name)',
      '    os._exit(0)',
      'say(f"MAINPID={child}\\nREADY=1")',
      'os.waitpid(child, 0)',
      'tell(f"pending of the parent: {len(signal.sigpending())}")',
    ),
    flags: ['--ready', 'notify', '--drain-timeout', '20s'],
  });
  await master.serving();
  await master.reload(2);
  const { outcome } = await master.waitFor('workerExited', { generation: 1 });
  expect(outcome).toEqual({ code: 0, signal: null });
  await master.waitForLine('the child got SIGTERM');
  await master.waitForLine('pending of the parent: 0');
});

test('a program that asks for more time while it drains is not cut at the drain timeout', async () => {
  const master = runMaster({
    command: script(
      'say("READY=1")',
      'signal.sigwait(signals)',
      'say("EXTEND_TIMEOUT_USEC=20000000")',
      'time.sleep(3)',
      'tell("drained")',
    ),
    flags: ['--ready', 'notify', '--drain-timeout', '2s'],
  });
  await master.serving();
  await master.reload(2);
  const { outcome, durationMs } = await master.waitFor('workerExited', { generation: 1 });
  expect(outcome).toEqual({ code: 0, signal: null });
  expect(durationMs).toBeGreaterThanOrEqual(3_000);
  await master.waitForLine('drained');
  expect(master.all('workerTerminated', { generation: 1 })).toEqual([]);
});

test('each worker has a socket of its own: READY=1 of one makes only that one ready', async () => {
  const pipe = join(temporaryFolder(), 'second');
  execFileSync('mkfifo', [pipe]);
  const master = runMaster({
    command: script(
      `if os.environ["GRACEFUL_RUN_WORKER"] == "1": open(${JSON.stringify(pipe)}).read()`,
      'say("READY=1")',
      'signal.sigwait(signals)',
    ),
    flags: ['--ready', 'notify', '--workers', '2'],
  });
  await master.workerPid(1, 1);
  await master.waitFor('workerReady', { slot: 0 });
  expect(new Set(socketsOf(master)).size).toBe(2);
  const { workers } = await master.status();
  expect(workers.map(({ slot, state }) => [slot, state])).toEqual([
    [0, 'ready'],
    [1, 'starting'],
  ]);
  writeFileSync(pipe, '');
  await master.waitFor('workerReady', { slot: 1 });
  await master.serving();
});
