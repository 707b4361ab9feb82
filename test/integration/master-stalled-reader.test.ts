// stdout and stderr are one pipe, socket or terminal, as after `2>&1 |`, under systemd, s6 or in a terminal. Its reader stops. A worker's
// start and end switch the description that all share to blocking; the master must go on all the same.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { get } from '../helpers/plain-client.ts';
import { app, kill, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';
import { mayRun } from '../helpers/required-programs.ts';

const command = app('floods-stderr');
const env = { MEGABYTES: '3' };
/** A worker that writes to stdout waits for the reader. That is its own affair, and ends with the drain timeout. */
const flags = ['--drain-timeout', '500ms'];

async function readyPid(master: RunningMaster, generation: number): Promise<number> {
  const status = await master.status();
  if (status.generation !== generation) throw new Error('does not serve');
  const worker = status.workers.find((one) => one.state === 'ready' && one.generation === generation);
  if (worker?.pid == null) throw new Error('not ready');
  return worker.pid;
}

async function waitForReady(master: RunningMaster, generation: number, butNot = -1): Promise<number> {
  let pid = -1;
  await eventually('a worker is ready', async () => {
    pid = await readyPid(master, generation).catch(() => -1);
    return pid !== -1 && pid !== butNot;
  });
  return pid;
}

/** Everything that a master has to do, while nobody reads what it and its worker say. */
async function doesItsWork(master: RunningMaster): Promise<void> {
  const first = await waitForReady(master, 1);
  const [listener] = (await master.status()).listeners;
  kill(first, 'SIGUSR2');
  await waitForReady(master, 1);
  const masterPid = (await master.status()).master.pid;
  process.kill(masterPid, 'SIGHUP');
  const second = await waitForReady(master, 2);
  kill(second, 'SIGUSR2');
  expect((await get(listener?.port ?? 0)).status).toBe(200);
  kill(second);
  const third = await waitForReady(master, 2, second);
  expect((await get(listener?.port ?? 0)).status).toBe(200);
  expect(third).not.toBe(second);
  process.kill(masterPid, 'SIGTERM');
  await eventually('the master has ended', () => master.processes().length === 0, 10_000);
}

test('a pipe', async () => {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => {
    closeSync(reader);
  });
  await doesItsWork(
    runMaster({ command, env, flags, through: ['sh', '-c', `exec "$@" > ${path} 2>&1`, 'sh'] }),
  );
});

test('a socket', async () => {
  const master = runMaster({ command, env, flags, through: ['sh', '-c', 'exec "$@" 2>&1', 'sh'] });
  master.child.stdout?.pause();
  await doesItsWork(master);
  master.child.stdout?.resume();
});

const hasScript = process.platform === 'linux' && existsSync('/usr/bin/script');

test.runIf(mayRun(hasScript))('a terminal', async () => {
  const through = ['sh', '-c', 'exec script --quiet --return --flush --command "exec $*" /dev/null', 'sh'];
  const master = runMaster({ command, env, through, flags });
  await waitForReady(master, 1);
  master.child.stdout?.pause();
  const first = await readyPid(master, 1);
  kill(first, 'SIGUSR2');
  await pause(100);
  const { pid } = (await master.status()).master;
  process.kill(pid, 'SIGHUP');
  await waitForReady(master, 2);
  process.kill(pid, 'SIGTERM');
  await eventually('the master has ended', () => !existsSync(`/proc/${pid}/fd/0`), 10_000);
  master.child.stdout?.resume();
});

function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

test.runIf(mayRun(hasScript))(
  'a job in the background of a terminal that stops such jobs when they write (stty tostop) writes, and keeps its workers',
  async () => {
    const job = join(temporaryFolder(), 'job.sh');
    writeFileSync(job, 'stty tostop\nset -m\n"$@" &\nwait\n');
    const through = [
      'sh',
      '-c',
      `exec script --quiet --return --flush --command "sh ${job} $*" /dev/null`,
      'sh',
    ];
    const master = runMaster({ through, flags: ['--workers', '2'] });
    await master.waitFor('generationReady', { generation: 1 });
    const { pid } = (await master.status()).master;
    const before = cpuTicks(pid);
    process.kill(pid, 'SIGHUP');
    await master.waitFor('generationReady', { generation: 2 });
    await master.waitFor('workerExited', { generation: 1 });
    // A signal from elsewhere still arrives.
    expect((await master.status()).workersWanted).toBe(2);
    process.kill(pid, 'SIGTTOU');
    await master.waitFor('workerCountChanged', { toCount: 1 });
    // 100 ticks are a second: it would have been busy all the time.
    expect(cpuTicks(pid) - before).toBeLessThan(150);
    process.kill(pid, 'SIGTERM');
    await master.waitFor('stopped');
  },
);

test('what was dropped is counted, and that is said when the reader reads again', async () => {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const master = runMaster({ command, env, through: ['sh', '-c', `exec "$@" 2> ${path}`, 'sh'] });
  const pid = await waitForReady(master, 1);
  kill(pid, 'SIGUSR2');
  // On stdout, which is read.
  await master.waitForLine('written');
  let text = '';
  new Socket({ fd: reader, writable: false })
    .setEncoding('utf8')
    .on('data', (piece) => (text += String(piece)));
  const lines = (): readonly string[] => text.split('\n').filter((line) => /^x+$/.test(line));
  const dropped = (): number =>
    [...text.matchAll(/"event":"workerOutputDropped".*"bytes":(\d+)/g)].reduce(
      (sum, [, bytes]) => sum + Number(bytes),
      0,
    );
  await eventually('it is said', () => dropped() > 0);
  // The worker has written 3 MiB. When the reader reads again, the master may not have read the end of that yet.
  await eventually(
    'every byte was either passed on or counted',
    () => lines().length * 1_024 + dropped() === 3 * 1_024 * 1_024,
  );
  expect(lines().every((line) => line.length === 1_023)).toBe(true);
});

test('the last lines are written before the master ends, also when the reader is slow', async () => {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const master = runMaster({
    command,
    env: { MEGABYTES: '1' },
    through: ['sh', '-c', `exec "$@" 2> ${path}`, 'sh'],
  });
  const pid = await waitForReady(master, 1);
  kill(pid, 'SIGUSR2');
  await master.waitForLine('written');
  master.signal('SIGTERM');
  await eventually('the workers are gone', () => master.processes().every((one) => one.pid === master.pid));
  let text = '';
  new Socket({ fd: reader, writable: false })
    .setEncoding('utf8')
    .on('data', (piece) => (text += String(piece)));
  expect(await master.exited).toEqual({ code: 0, signal: null });
  await eventually('everything was read', () => text.includes('"event":"stopped"'));
});
