// With --reuse-port each worker has a listening socket, and a queue, of its own. None of its connections may be lost when workers come and go.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { routes } from '../../src/shared/control-api.ts';
import { askControl } from '../../src/shared/control-client.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, queueUp, whoAnswers } from '../helpers/plain-client.ts';
import { runHost } from '../helpers/run-host.ts';
import { app, appPath, kill, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import type { Load } from '../helpers/load.ts';
import { failuresOf } from '../helpers/tally.ts';
import { Wire } from '../helpers/wire.ts';

const python = ['python3', appPath('serves').replace('.cjs', '.py')];

function start(workers: number, options: Parameters<typeof runMaster>[0] = {}): RunningMaster {
  const { flags = [] } = options;
  return runMaster({ ...options, flags: ['--reuse-port', '--workers', String(workers), ...flags] });
}

/** New connections without a pause. `answered` gets the pid of the Node.js worker that has answered. */
function load(port: number, answered: ((pid: number) => void) | null = null): Load {
  return startLoad({
    port,
    mode: 'fresh',
    clients: 8,
    answered: ({ body }) => answered?.((JSON.parse(body) as { pid: number }).pid),
  });
}

async function expectNoFailure(clients: Load): Promise<void> {
  const tally = await clients.stop();
  expect([failuresOf(tally), tally.examples]).toEqual([0, []]);
}

async function scale(master: RunningMaster, workers: number): Promise<void> {
  const exchange = await askControl({
    path: master.controlSocket,
    method: 'POST',
    route: routes.scale,
    body: { workers },
  });
  expect(exchange).toMatchObject({ answer: { status: 200 } });
}

interface Host {
  readonly master: RunningMaster;
  readonly port: number;
  /** While this file exists, workers of boots-when-told stand still. */
  readonly hold: string;
  /** Updates the program to these lines of its table. */
  readonly update: (lines: readonly string[]) => Promise<void>;
}

/** Starts a program from a config file, with these lines in its table. */
async function startHost(command: readonly string[], lines: readonly string[]): Promise<Host> {
  const folder = temporaryFolder();
  const port = await freePort();
  const hold = join(folder, 'hold');
  const programOf = (own: readonly string[]): readonly string[] => [
    '[program.shop]',
    `command = ${JSON.stringify(command)}`,
    `port = ${port}`,
    'host = "127.0.0.1"',
    `environment = { PORT = "${port}", HOLD = "${hold}" }`,
    ...own,
  ];
  const { master, update } = await runHost(programOf(lines));
  return { master, port, hold, update: async (own) => update(programOf(own)) };
}

/** The inodes of the listening sockets on the port, of all processes. */
function listeningOn(port: number): ReadonlySet<string> {
  const wanted = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return new Set(
    lines.flatMap(([, local, , state, , , , , , inode = '']) =>
      local === wanted && state === '0A' ? [inode] : [],
    ),
  );
}

test('each worker has its own socket on the port that port 0 has become, all of them accept, and status says so', async () => {
  const master = start(3);
  const port = await master.serving();
  expect(listeningOn(port).size).toBe(3);
  const seen = new Set<number>();
  const clients = load(port, (pid) => seen.add(pid));
  await clients.moreAnswers(300);
  await expectNoFailure(clients);
  expect([...seen].sort()).toEqual(
    master
      .all('workerStarted')
      .map(({ pid }) => pid)
      .sort(),
  );
  expect((await master.status()).listeners).toMatchObject([{ port, reusePort: true }]);
});

test('with one worker, too, there are two sockets before the first client comes', async () => {
  const port = await start(1).serving();
  expect(listeningOn(port).size).toBe(2);
});

test('without it the workers share one socket', async () => {
  const master = runMaster({ flags: ['--workers', '3'] });
  const port = await master.serving();
  expect(listeningOn(port).size).toBe(1);
  expect((await master.status()).listeners).toMatchObject([{ port, reusePort: false }]);
});

test.each([
  ['probation', '300ms'],
  ['no probation', '0s'],
])('no request fails while the generations change, with %s', async (_, probation) => {
  const master = start(2, { flags: ['--probation', probation] });
  const port = await master.serving();
  const sockets = listeningOn(port);
  const clients = load(port);
  for (let generation = 2; generation < 6; generation += 1) {
    await clients.moreAnswers(100);
    master.signal('SIGHUP');
    await master.waitFor('workerExited', { generation: generation - 1, slot: 0 });
    await master.waitFor('workerExited', { generation: generation - 1, slot: 1 });
  }
  await clients.moreAnswers(100);
  await expectNoFailure(clients);
  expect(listeningOn(port)).toEqual(sockets);
});

test('no request fails while workers are added and taken away, and the socket of a slot is used again', async () => {
  const master = start(1);
  const port = await master.serving();
  const clients = load(port);
  for (const workers of [4, 2, 3, 1]) {
    await clients.moreAnswers(100);
    await scale(master, workers);
    await eventually(`${workers} workers`, async () => {
      const { workers: now } = await master.status();
      return now.length === workers && now.every(({ isAccepting }) => isAccepting);
    });
  }
  await clients.moreAnswers(100);
  await expectNoFailure(clients);
  expect(listeningOn(port).size).toBe(4);
});

test('what has queued for a worker that crashes is served by the one that replaces it', async () => {
  const master = start(2);
  const port = await master.serving();
  const crashing = await master.workerPid(1, 1);
  kill(crashing, 'SIGSTOP');
  const queued = await queueUp(port, 40);
  kill(crashing);
  await master.waitFor('workerFailed', { pid: crashing });
  const later = await queueUp(port, 40);
  const answers = await Promise.all([...queued, ...later]);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  const pids = new Set(answers.map(({ body }) => (JSON.parse(body) as { pid: number }).pid));
  expect(pids).not.toContain(crashing);
  expect(pids.size).toBe(2);
});

test.each([
  ['Node.js', app('serves')],
  ['a program that drains on a signal', python],
])(
  'what has queued for a slot that is given up is served before its worker stops: %s',
  async (_, command) => {
    const master = start(2, { command });
    const port = await master.serving();
    const leaving = await master.workerPid(1, 1);
    kill(leaving, 'SIGSTOP');
    const queued = await queueUp(port, 40);
    await scale(master, 1);
    // Its queue does not grow any more.
    const later = await queueUp(port, 20);
    expect((await Promise.all(later)).map(({ status }) => status)).toEqual(later.map(() => 200));
    kill(leaving, 'SIGCONT');
    expect((await Promise.all(queued)).map(({ status }) => status)).toEqual(queued.map(() => 200));
    await master.waitFor('workerExited', { pid: leaving });
  },
);

test.each([
  ['Node.js, slot 1', app('serves'), 1],
  ['Node.js, slot 0', app('serves'), 0],
  ['a program that drains on a signal', python, 1],
])(
  'what has queued for a slot that is given up while its worker is crashed is served: %s',
  async (_, command, slot) => {
    const master = start(2, { command });
    const port = await master.serving();
    // At once after the first crash, and later after the second one.
    const first = await master.workerPid(1, slot);
    kill(first);
    const { pid } = await master.waitFor('workerReady', (one) => one.slot === slot && one.pid !== first);
    const again = pid ?? -1;
    await eventually('the replacement accepts', async () =>
      (await master.status()).workers.every(({ isAccepting }) => isAccepting),
    );
    kill(again, 'SIGSTOP');
    const queued = await queueUp(port, 40);
    kill(again);
    await master.waitFor('restartScheduled', { slot, failures: 2 });
    await scale(master, 1);
    expect((await Promise.all(queued)).map(({ status }) => status)).toEqual(queued.map(() => 200));
    await master.waitFor('workerExited', { slot });
    expect((await master.status()).workers).toMatchObject([{ slot: 1 - slot, isAccepting: true }]);
  },
);

test.each([
  ['Node.js', app('serves')],
  ['a program that drains on a signal', python],
])('what has queued for a worker that has ended and is not replaced is served: %s', async (_, command) => {
  const { master, port } = await startHost(command, [
    ...['workers = 2', 'reuse_port = true', 'autorestart = false'],
  ]);
  const ending = await master.workerPid(1, 1);
  kill(ending, 'SIGSTOP');
  const queued = await queueUp(port, 40);
  kill(ending);
  expect((await Promise.all(queued)).map(({ status }) => status)).toEqual(queued.map(() => 200));
  await master.waitFor('workerExited', { slot: 1, from: 'draining' });
  expect((await master.status()).workers.map(({ slot }) => slot)).toEqual([0]);
});

test('what has queued for a crashed worker is served when an update turns it off, although the new workers share a queue', async () => {
  const plan = ['workers = 2', 'probation = "0s"'];
  const { master, port, hold, update } = await startHost(app('boots-when-told'), [
    ...[...plan, 'reuse_port = true'],
  ]);
  const crashing = await master.workerPid(1, 1);
  kill(crashing, 'SIGSTOP');
  const queued = await queueUp(port, 40);
  writeFileSync(hold, '');
  kill(crashing);
  await master.waitForLine('booting');
  rmSync(hold);
  await update(plan);
  expect((await Promise.all(queued)).map(({ status }) => status)).toEqual(queued.map(() => 200));
  expect(await master.waitFor('queueLeftBehind')).toMatchObject({ generation: 2, slot: 1 });
  await master.waitFor('workerExited', { generation: 2, slot: 2 });
  expect((await master.status()).workers.map(({ slot }) => slot)).toEqual([0, 1]);
});

test('what has queued for a worker that hangs when its slot is given up is served by another one', async () => {
  const master = start(2, { flags: ['--drain-timeout', '2s'] });
  const port = await master.serving();
  const hanging = await master.workerPid(1, 1);
  kill(hanging, 'SIGSTOP');
  const queued = await queueUp(port, 40);
  await scale(master, 1);
  const answers = await Promise.all(queued);
  expect(answers.map(({ status }) => status)).toEqual(queued.map(() => 200));
  expect(master.all('workerExited', ({ pid }) => pid === hanging)).toEqual([]);
  expect(new Set(answers.map(({ body }) => (JSON.parse(body) as { pid: number }).pid))).not.toContain(
    hanging,
  );
});

test('a client of a slot that was given up is served although it sends its request, for which defer_accept waits, only then', async () => {
  const master = start(2, { flags: ['--defer-accept', '30s', '--probation', '2s'] });
  const port = await master.serving();
  const clients = await Promise.all(Array.from({ length: 20 }, () => Wire.connect(port)));
  await scale(master, 1);
  await master.waitFor('workerExited', { slot: 1 });
  // More than a second later, and after the last change of the program.
  master.signal('SIGHUP');
  await master.waitFor('workerExited', { generation: 1, slot: 0 });
  for (const client of clients) client.write('GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
  await Promise.all(clients.map(({ closed }) => closed));
  for (const { received } of clients) expect(received).toContain('200 OK');
});

test('programs that do not know graceful-run each get their socket, blocking, at the same descriptor', async () => {
  const master = start(2, { command: python });
  const port = await master.serving();
  const clients = load(port);
  await clients.moreAnswers(50);
  master.signal('SIGHUP');
  await master.waitFor('workerExited', { generation: 1, slot: 0 });
  await master.waitFor('workerExited', { generation: 1, slot: 1 });
  await clients.moreAnswers(50);
  await scale(master, 1);
  await master.waitFor('workerExited', { generation: 2 });
  await clients.moreAnswers(50);
  await expectNoFailure(clients);
});

test('an update turns it on and off, and changes the number of workers with it, without a failed request', async () => {
  const { master, port, update } = await startHost(app('serves'), ['workers = 3']);
  const clients = load(port);
  const plans = [
    ['workers = 3', 'reuse_port = true'],
    ['workers = 2', 'reuse_port = true', 'probation = "0s"'],
    ['workers = 2', 'probation = "100ms"'],
    ['workers = 1', 'reuse_port = true'],
  ];
  for (const [index, plan] of plans.entries()) {
    await clients.moreAnswers(100);
    await update(plan);
    const [listener] = (await master.status()).listeners;
    expect([index, listener?.reusePort]).toEqual([index, plan.includes('reuse_port = true')]);
  }
  await clients.moreAnswers(100);
  await expectNoFailure(clients);
});

test('a worker that fails on probation gives back what it has taken', async () => {
  const master = start(2, { flags: ['--probation', '30s'], command: app('crashes-when-told') });
  const port = await master.serving();
  const clients = load(port);
  await scale(master, 1);
  master.signal('SIGHUP');
  await master.waitFor('generationReady', { generation: 2 });
  kill(await master.workerPid(2), 'SIGKILL');
  await master.waitFor('generationRolledBack', { generation: 2 });
  await clients.moreAnswers(100);
  await clients.stop();
  expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
});

test('a stop serves what has queued for each worker', async () => {
  const master = start(2);
  const port = await master.serving();
  const stopped = await master.workerPid(1, 1);
  kill(stopped, 'SIGSTOP');
  const queued = await queueUp(port, 40);
  master.signal('SIGTERM');
  await master.waitFor('listenersClosed');
  kill(stopped, 'SIGCONT');
  expect((await Promise.all(queued)).map(({ status }) => status)).toEqual(queued.map(() => 200));
  expect(await master.exited).toMatchObject({ code: 0 });
});

test('the workers of a killed master let the port go, and the next master takes it', async () => {
  const first = start(3);
  const port = await first.serving();
  first.signal('SIGKILL');
  const second = start(2, { flags: ['--port', String(port)] });
  expect(await second.serving()).toBe(port);
  expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
  await first.workersGone();
  expect(listeningOn(port).size).toBe(2);
});

test('the errors are those of any listener, and name what cannot be had with it', async () => {
  const port = await (await runMasterServing()).port();
  const second = start(2, { flags: ['--port', String(port)] });
  await second.closed;
  expect(await second.exited).toMatchObject({ code: 1 });
  expect(second.lines.join('\n')).toContain(`the address is in use`);
  const unix = runMaster({ hasOwnFlags: false, flags: ['--reuse-port', '--listen', 'unix:@refused'] });
  expect(await unix.exited).toMatchObject({ code: 2 });
});

/** Another one with --reuse-port: the kernel would let two share the port. */
async function runMasterServing(): Promise<RunningMaster> {
  const master = start(2);
  await master.serving();
  return master;
}
