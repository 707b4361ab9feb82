// Workers that are hung: found, reported with what can be known of them, and replaced. One that only could not run, or was not heard, is none.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { countOpen } from '../helpers/open-descriptors.ts';
import { freePort, whoAnswers } from '../helpers/plain-client.ts';
import { startHost } from '../helpers/run-host.ts';
import { app, appPath, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

const node = [process.execPath, appPath('hangs')];
const python = (...words: readonly string[]): readonly string[] => [
  'python3',
  appPath('hangs').replace(/hangs\.cjs$/, 'watchdog.py'),
  ...words,
];

async function runFile(
  keys: string,
  command: readonly string[] = node,
): Promise<RunningMaster & { readonly at: number }> {
  const at = await freePort();
  const isServer = !keys.includes('type =');
  const { master } = startHost(
    `[program.web]\n${isServer ? `port = ${at}\n` : ''}command = ${JSON.stringify(command)}\nreplace_interval = "0s"\n${keys}`,
  );
  await master.waitFor('generationReady');
  return Object.assign(master, { at });
}

/** The number of event loops in this process: one for each thread that runs JavaScript, and those of Node.js itself. */
function loopsOf(pid: number): number {
  return countOpen(pid, '[eventpoll]');
}

/** The number of event loops in a Node.js process whose JavaScript runs in one thread. */
async function loopsOfOneThread(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'console.log(); setInterval(() => undefined, 1_000)']);
  await once(child.stdout, 'data');
  const count = loopsOf(child.pid ?? 0);
  child.kill();
  await once(child, 'exit');
  return count;
}

const withoutWitness = await loopsOfOneThread();

/** Resolves when the worker has the thread that can tell where it is. */
async function hasWitness(pid: number): Promise<void> {
  await eventually('the thread', () => loopsOf(pid) > withoutWitness);
}

/** The worker that answers, once it has the thread that can tell where it is. */
async function watchedWorker(port: number): Promise<number> {
  const { pid } = await whoAnswers(port);
  await hasWitness(pid);
  return pid;
}

/** Asks for this path and does not wait for an answer. */
async function ask(port: number, path: string): Promise<Wire> {
  const wire = await Wire.connect(port);
  wire.get(path);
  return wire;
}

test('a Node.js worker that loops is reported with its stack, replaced by one that starts first, and killed', async () => {
  const master = await runFile('watchdog = "1s"\n');
  const old = { pid: await watchedWorker(master.at) };
  const wire = await ask(master.at, '/spin');
  const hung = await master.waitFor('workerHung');
  expect(hung).toMatchObject({
    pid: old.pid,
    boundMs: 1_000,
    isTriggered: false,
    problem: null,
    doing: 'runs',
  });
  expect(hung.silentMs).toBeGreaterThanOrEqual(1_000);
  expect(hung.stack.some((frame) => /^spin \(.*hangs\.cjs:9:\d+\)$/.test(frame))).toBe(true);
  const replaced = await master.waitFor('workerReplaced');
  expect(replaced).toMatchObject({ pid: old.pid, cause: { reason: 'watchdog', bound: 1_000 } });
  // What has waited, and what comes: all of it goes to the new worker.
  expect((await whoAnswers(master.at)).pid).toBe(replaced.successor);
  expect(await master.waitFor('workerExited')).toMatchObject({
    pid: old.pid,
    outcome: { code: null, signal: 'SIGKILL' },
    failure: null,
  });
  expect(master.all('workerKilled')).toMatchObject([{ pid: old.pid, reason: 'hung' }]);
  const order = master.events.flatMap(({ event }) =>
    event === 'workerReplaced' || event === 'workerDraining' || event === 'workerKilled' ? [event] : [],
  );
  expect(order).toEqual(['workerReplaced', 'workerDraining', 'workerKilled']);
  expect(master.all('workerHung')).toHaveLength(1);
  wire.socket.destroy();
}, 30_000);

test('of one that waits in native code it is known where, and of one in a system call that there is no stack', async () => {
  const master = await runFile('watchdog = "1s"\n');
  await watchedWorker(master.at);
  const waiting = await ask(master.at, '/native');
  const first = await master.waitFor('workerHung');
  expect(first.stack.some((frame) => frame.includes('hangs.cjs'))).toBe(true);
  await master.waitFor('workerReplaced');
  await watchedWorker(master.at);
  waiting.socket.destroy();
  await master.waitFor('workerExited', { pid: first.pid ?? 0 });
  const calling = await ask(master.at, '/command');
  const second = await master.waitFor('workerHung', ({ pid }) => pid !== first.pid);
  expect(second.stack).toEqual([]);
  expect(second.problem).toContain('no stack within 1s');
  await master.waitFor('workerReplaced', { pid: second.pid ?? 0 });
  calling.socket.destroy();
}, 40_000);

test('with several workers the others go on serving, and the hung one gets nothing of the queue that is shared', async () => {
  const master = await runFile('watchdog = "1s"\nworkers = 3\n');
  const wire = await ask(master.at, '/sleep');
  const { pid } = await master.waitFor('workerHung');
  for (let nth = 0; nth < 20; nth++) expect((await whoAnswers(master.at)).pid).not.toBe(pid);
  await master.waitFor('workerReplaced', { pid: pid ?? 0 });
  expect(master.all('workerHung')).toHaveLength(1);
  wire.socket.destroy();
}, 30_000);

test('a worker whose loop turns again before it is replaced is left alone, and one that is being replaced drains', async () => {
  const master = await runFile('watchdog = "1s"\nready_timeout = "20s"\n');
  const old = await whoAnswers(master.at);
  // Longer than it may be silent, and it is back before a Node.js worker can have started.
  const wire = await ask(master.at, '/sleep/2800');
  await master.waitFor('workerHung');
  await wire.until('}');
  expect(wire.received).toContain(String(old.pid));
  wire.socket.destroy();
  // Whichever came first, it was not killed.
  await eventually('settled', async () => (await whoAnswers(master.at)).pid > 0);
  expect(master.all('workerKilled')).toEqual([]);
}, 30_000);

test('a worker that is busy for less than the time is not taken for hung, nor one that is stopped and goes on', async () => {
  const master = await runFile('watchdog = "2s"\n');
  const { pid } = await whoAnswers(master.at);
  for (let nth = 0; nth < 2; nth++) {
    const wire = await ask(master.at, '/sleep/1500');
    await wire.until('}');
    wire.socket.destroy();
  }
  process.kill(pid, 'SIGSTOP');
  try {
    // The time is over twice.
    await pause(5_000);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  expect((await whoAnswers(master.at)).pid).toBe(pid);
  expect(master.all('workerHung')).toEqual([]);
}, 30_000);

test('nor one that is busy again and again when it is asked first', async () => {
  const master = await runFile('watchdog = "2s"\nenvironment = { BUSY = "1800" }\n');
  const { pid } = await whoAnswers(master.at);
  await master.waitForLine('was busy');
  expect((await whoAnswers(master.at)).pid).toBe(pid);
  expect(master.all('workerHung')).toEqual([]);
}, 30_000);

test('a master that was held up does not take its workers for hung', async () => {
  const master = await runFile('watchdog = "1s"\nworkers = 2\n');
  master.signal('SIGSTOP');
  await pause(3_000);
  master.signal('SIGCONT');
  const { pid } = await whoAnswers(master.at);
  const wire = await ask(master.at, '/sleep');
  // It sees the one that is.
  const hung = await master.waitFor('workerHung');
  expect(master.all('workerHung')).toHaveLength(1);
  expect([pid, ...master.all('workerReady').map((event) => event.pid)]).toContain(hung.pid);
  wire.socket.destroy();
}, 30_000);

test('a program that says WATCHDOG=1 in time lives, with the variables of systemd, and one that stops saying it is aborted', async () => {
  const file = join(temporaryFolder(), 'env');
  const master = await runFile(
    'type = "worker"\nwatchdog = "1s"\nready = "notify"\n',
    python(`env:${file}`, 'READY=1', 'WATCHDOG=1', 'sleep:0.7', 'WATCHDOG=1'),
  );
  const { pid, silentMs, stack, problem } = await master.waitFor('workerHung');
  expect(silentMs).toBeGreaterThanOrEqual(1_000);
  expect({ stack, problem }).toEqual({ stack: [], problem: null });
  const { successor } = await master.waitFor('workerReplaced', { pid: pid ?? 0 });
  expect(successor).not.toBe(pid);
  expect(await master.waitFor('workerExited', { pid: pid ?? 0 })).toMatchObject({
    outcome: { code: null, signal: 'SIGABRT' },
    failure: null,
  });
  expect(readFileSync(file, 'utf8').split('\n')[0]).toBe('1000000 True');
}, 30_000);

test('the time is counted from READY=1: a program that never says WATCHDOG=1 is hung then, and one that says nothing is not watched', async () => {
  const master = await runFile(
    'type = "worker"\nwatchdog = "1s"\nready = "notify"\n',
    python('sleep:2', 'READY=1'),
  );
  const { silentMs } = await master.waitFor('workerHung');
  expect(silentMs).toBeLessThan(4_000);
  const silent = await runFile('type = "worker"\nwatchdog = "1s"\n', ['sleep', '600']);
  await pause(3_000);
  expect(silent.all('workerHung')).toEqual([]);
}, 30_000);

test('WATCHDOG=trigger is a failure at once, and WATCHDOG_USEC changes the time', async () => {
  const triggered = await runFile(
    'type = "worker"\nwatchdog = "1h"\nready = "notify"\n',
    python('READY=1', 'sleep:0.3', 'WATCHDOG=trigger'),
  );
  expect(await triggered.waitFor('workerHung')).toMatchObject({ isTriggered: true, boundMs: 3_600_000 });
  await triggered.waitFor('workerReplaced');
  const shorter = await runFile(
    'type = "worker"\nwatchdog = "1h"\nready = "notify"\n',
    python('READY=1', 'WATCHDOG_USEC=1200000'),
  );
  expect(await shorter.waitFor('workerHung')).toMatchObject({ isTriggered: false, boundMs: 1_200 });
}, 30_000);

test('what any process of the worker says on its socket counts, as with NotifyAccess=all', async () => {
  const master = await runFile(
    'type = "worker"\nwatchdog = "1s"\nready = "notify"\n',
    python('READY=1', 'child:0.3'),
  );
  await pause(3_000);
  expect(master.all('workerHung')).toEqual([]);
}, 30_000);

test('of a Node.js program without an address the event loop is asked: one that loops is reported with its stack and replaced', async () => {
  const master = await runFile('type = "worker"\nwatchdog = "1s"\n', app('works'));
  const pid = await master.workerPid(1);
  // Neither the program nor what it starts sees anything of it.
  await master.waitForLine('sees "" and 0 words, its child 2');
  await hasWitness(pid);
  process.kill(pid, 'SIGUSR2');
  const hung = await master.waitFor('workerHung');
  expect(hung).toMatchObject({ pid, boundMs: 1_000, isTriggered: false, problem: null, doing: 'runs' });
  expect(hung.stack.some((frame) => /^spin \(.*works\.cjs:\d+:\d+\)$/.test(frame))).toBe(true);
  const { successor } = await master.waitFor('workerReplaced', { pid });
  expect(await master.waitFor('workerExited', { pid })).toMatchObject({ failure: null });
  // The new one is asked as well, and answers.
  await hasWitness(successor ?? 0);
  expect(master.all('workerHung')).toHaveLength(1);
}, 30_000);

test('where workers do not overlap, the hung one ends first', async () => {
  const master = await runFile(
    'type = "worker"\noverlap = false\nwatchdog = "1s"\nready = "notify"\n',
    python('READY=1'),
  );
  const { pid } = await master.waitFor('workerHung');
  await master.waitFor('workerExited', { pid: pid ?? 0 });
  await master.waitFor('workerReady', (event) => event.pid !== pid);
  const order = master.events.flatMap(({ event }) =>
    event === 'workerExited' || event === 'workerStarted' ? [event] : [],
  );
  expect(order.slice(0, 3)).toEqual(['workerStarted', 'workerExited', 'workerStarted']);
}, 30_000);

test('a new generation that hangs on probation is gone back from', async () => {
  const folder = temporaryFolder();
  const app = join(folder, 'app.cjs');
  writeFileSync(app, `require(${JSON.stringify(appPath('hangs'))});`);
  const master = await runFile('watchdog = "1s"\nprobation = "30s"\n', [process.execPath, app]);
  writeFileSync(
    app,
    `require(${JSON.stringify(appPath('hangs'))}); setTimeout(() => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); }, 300);`,
  );
  master.signal('SIGHUP');
  const { failure } = await master.waitFor('generationRolledBack');
  expect(failure.reason).toBe('hung');
  expect(await whoAnswers(master.at)).toMatchObject({ generation: 1 });
}, 30_000);

test('without a watchdog a worker has no further thread, and with one it does not live on because of it', async () => {
  const plain = await runFile('');
  const watched = await runFile('watchdog = "1s"\n');
  const other = await watchedWorker(watched.at);
  expect(loopsOf(other)).toBe(withoutWitness + 1);
  expect(loopsOf((await whoAnswers(plain.at)).pid)).toBe(withoutWitness);
  watched.signal('SIGTERM');
  expect((await watched.exited).code).toBe(0);
  expect(watched.all('workerKilled')).toEqual([]);
}, 30_000);
