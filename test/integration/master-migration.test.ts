// Connections that are between two messages move to the new worker; whatever goes wrong, they are served.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { app, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

const request = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';

/** Asks once more on a connection that has been answered before, and says who answers. */
async function ask(wire: Wire): Promise<{ readonly generation: number; readonly pid: number }> {
  wire.received = '';
  wire.write(request);
  return answerOf(wire);
}

async function answerOf(wire: Wire): Promise<{ readonly generation: number; readonly pid: number }> {
  await wire.until('}');
  expect(wire.received).toContain('HTTP/1.1 200 OK\r\n');
  expect(wire.received).toContain('Connection: keep-alive\r\n');
  return JSON.parse(wire.received.slice(wire.received.indexOf('{'))) as { generation: number; pid: number };
}

/** Asks until the new worker answers or the old one says close. */
async function askToTheEnd(wire: Wire): Promise<string> {
  for (;;) {
    wire.received = '';
    wire.write(request);
    await wire.until('}');
    if (wire.received.includes('Connection: close')) return 'said close';
    if (wire.received.includes('"generation":2')) return 'generation 2';
  }
}

async function connectAll(port: number, count: number): Promise<readonly Wire[]> {
  return Promise.all(Array.from({ length: count }, () => Wire.connect(port)));
}

async function connectAndAsk(port: number, count: number): Promise<readonly Wire[]> {
  const wires = await connectAll(port, count);
  await Promise.all(wires.map(ask));
  return wires;
}

/** Connections whose answer has begun and is held by the application. */
async function connectAndHold(port: number, count: number): Promise<readonly Wire[]> {
  const wires = await connectAll(port, count);
  for (const wire of wires) wire.get('/held');
  await Promise.all(wires.map((wire) => wire.until('begun')));
  return wires;
}

function endAll(wires: readonly Wire[]): void {
  for (const { socket } of wires) socket.destroy();
}

async function generationsOf(wires: readonly Wire[]): Promise<readonly number[]> {
  return [...new Set((await Promise.all(wires.map(ask))).map(({ generation }) => generation))];
}

function expectNoneClosed(wires: readonly Wire[]): void {
  expect(wires.filter(({ socket }) => socket.destroyed || socket.readableEnded)).toEqual([]);
}

async function exitOf(master: RunningMaster, generation: number): Promise<object> {
  const { outcome, migrated, cut } = await master.waitFor('workerExited', { generation });
  return { code: outcome.code, migrated, cut };
}

describe('a connection', () => {
  it('that is idle moves, reload after reload, and the old worker is gone at once', async () => {
    const master = runMaster();
    const wires = await connectAndAsk(await master.serving(), 20);
    for (const generation of [2, 3, 4]) {
      await master.reload(generation);
      // Not by asking: the idle ones have moved although nobody did.
      expect(await exitOf(master, generation - 1)).toEqual({ code: 0, migrated: 20, cut: 0 });
      // Every other reload finds connections that have been silent since they moved.
      if (generation !== 3) expect(await generationsOf(wires)).toEqual([generation]);
    }
    expectNoneClosed(wires);
    endAll(wires);
  });

  it('that has never asked for anything moves', async () => {
    const master = runMaster();
    const port = await master.serving();
    const wires = await connectAll(port, 5);
    // Those are accepted by now.
    endAll(await connectAndAsk(port, 1));
    await master.reload(2);
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 5, cut: 0 });
    expect(await generationsOf(wires)).toEqual([2]);
    endAll(wires);
  });

  it('whose answer is under way gets it whole, without a word of closing, and moves then', async () => {
    const master = runMaster();
    const wires = await connectAndHold(await master.serving(), 3);
    await master.reload(2);
    await master.waitFor('workerAcceptsNoMore', { generation: 1 });
    process.kill(await master.workerPid(1), 'SIGUSR2');
    await Promise.all(wires.map((wire) => wire.until('ended')));
    for (const { received } of wires) expect(received).toContain('Connection: keep-alive');
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 3, cut: 0 });
    expect(await generationsOf(wires)).toEqual([2]);
    endAll(wires);
  });

  it('with half a request in the old worker stays there until it was answered', async () => {
    const master = runMaster();
    const port = await master.serving();
    const [wire] = await connectAndAsk(port, 1);
    if (wire === undefined) throw new Error('no connection');
    wire.received = '';
    await wire.writeAll(request.slice(0, 20));
    // The old worker has read the half by the time it has answered this.
    endAll(await connectAndAsk(port, 1));
    await master.reload(2);
    await master.waitFor('workerAcceptsNoMore', { generation: 1 });
    wire.write(request.slice(20));
    expect(await answerOf(wire)).toMatchObject({ generation: 1 });
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 1, cut: 0 });
    expect(await generationsOf([wire])).toEqual([2]);
    endAll([wire]);
  });

  it('with several requests on their way gets every answer, in order', async () => {
    const master = runMaster();
    const [wire] = await connectAndHold(await master.serving(), 1);
    if (wire === undefined) throw new Error('no connection');
    await wire.writeAll(`${request}${request}`);
    await master.reload(2);
    await master.waitFor('workerAcceptsNoMore', { generation: 1 });
    process.kill(await master.workerPid(1), 'SIGUSR2');
    const answers = (): number => wire.received.split('HTTP/1.1 200 OK').length - 1;
    await eventually('three answers', () => answers() === 3);
    expect(wire.received.indexOf('ended')).toBeLessThan(wire.received.indexOf('"generation"'));
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 1, cut: 0 });
    expect(await generationsOf([wire])).toEqual([2]);
    endAll([wire]);
  });

  it('whose answer is still under way at the reload after goes to the newest worker', async () => {
    const master = runMaster();
    const wires = await connectAndHold(await master.serving(), 2);
    await master.reload(2);
    await master.waitFor('workerAcceptsNoMore', { generation: 1 });
    await master.reload(3);
    await master.waitFor('workerExited', { generation: 2 });
    process.kill(await master.workerPid(1), 'SIGUSR2');
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 2, cut: 0 });
    expect(await generationsOf(wires)).toEqual([3]);
    endAll(wires);
  });

  it('ends as its client was told when connections are not to move', async () => {
    const master = runMaster({ flags: ['--no-migrate'] });
    const [wire] = await connectAndAsk(await master.serving(), 1);
    if (wire === undefined) throw new Error('no connection');
    await master.reload(2);
    await master.waitFor('workerAcceptsNoMore', { generation: 1 });
    wire.received = '';
    wire.write(request);
    expect(await wire.closed).toBe('end');
    expect(wire.received).toContain('Connection: close');
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 0, cut: 0 });
  });
});

it('spreads the connections over the new workers', async () => {
  const master = runMaster({ flags: ['--workers', '3'] });
  const wires = await connectAndAsk(await master.serving(), 60);
  await master.reload(2);
  await eventually('all old workers gone', () => master.all('workerExited', { generation: 1 }).length === 3);
  const pids = (await Promise.all(wires.map(ask))).map(({ pid }) => pid);
  const counts = [...new Set(pids)].map((pid) => pids.filter((one) => one === pid).length);
  expect(counts).toHaveLength(3);
  // Each of the old workers spreads what it has; rounding adds up to one for each.
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(3);
  endAll(wires);
});

it('moves those of a worker that is one too many', async () => {
  const master = runMaster({ flags: ['--workers', '2'] });
  const wires = await connectAndAsk(await master.serving(), 20);
  master.signal('SIGTTOU');
  const { migrated, slot } = await master.waitFor('workerExited', { generation: 1 });
  const remaining = await master.workerPid(1, 1 - slot);
  expect((await Promise.all(wires.map(ask))).every(({ pid }) => pid === remaining)).toBe(true);
  expect(migrated).toBeLessThanOrEqual(20);
  endAll(wires);
});

describe('none is lost when the adopting worker', () => {
  const command = app('adopts');

  /** Gives the old worker `count` connections to move to a new one that does not answer. */
  async function offerTo(master: RunningMaster, count: number): Promise<readonly Wire[]> {
    const wires = await connectAndHold(await master.serving(), count);
    await master.reload(2);
    await master.waitFor('workerAcceptsNoMore', { generation: 1 });
    process.kill(await master.workerPid(2), 'SIGSTOP');
    process.kill(await master.workerPid(1), 'SIGUSR2');
    await Promise.all(wires.map((wire) => wire.until('ended')));
    return wires;
  }

  it('is killed before it answers: they go to its replacement', async () => {
    const master = runMaster({ command });
    const wires = await offerTo(master, 10);
    process.kill(await master.workerPid(2), 'SIGKILL');
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 10, cut: 0 });
    expect(await generationsOf(wires)).toEqual([2]);
    expectNoneClosed(wires);
    endAll(wires);
  });

  it('is busy: those whose turn has not come are served by the old one', async () => {
    const master = runMaster({ command });
    const wires = await offerTo(master, 100);
    const asked = wires.map((wire) => ask(wire));
    const answered: number[] = [];
    for (const answer of asked) void answer.then(({ generation }) => answered.push(generation));
    await eventually('most are answered', () => answered.length >= 36);
    expect(new Set(answered)).toEqual(new Set([1]));
    process.kill(await master.workerPid(2), 'SIGCONT');
    await Promise.all(asked);
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 100, cut: 0 });
    expectNoneClosed(wires);
    endAll(wires);
  });

  it('is killed while it adopts: only what it had taken ends with it', async () => {
    const env = { RELEASE: 'dies-at-5', FLAG: join(temporaryFolder(), 'flag') };
    const master = runMaster({ command, env });
    const wires = await connectAndAsk(await master.serving(), 20);
    await master.reload(2);
    await master.waitFor('workerFailed', { generation: 2 });
    await master.waitFor('workerExited', { generation: 1 });
    const left = wires.filter(({ socket }) => !socket.destroyed && !socket.readableEnded);
    // What it had not answered for is served on.
    expect(left.length).toBeGreaterThanOrEqual(15);
    expect(left.length).toBeLessThan(20);
    expect(await generationsOf(left)).toEqual([2]);
    endAll(wires);
  });

  it('takes no more: the old one serves them, and says close', async () => {
    const master = runMaster({ command, env: { RELEASE: 'is-full' }, flags: ['--drain-timeout', '1s'] });
    const wires = await connectAndAsk(await master.serving(), 4);
    await master.reload(2);
    await master.waitFor('workerAcceptsNoMore', { generation: 1 });
    // Until it was refused, each is served as ever.
    const endings = await Promise.all(wires.map(askToTheEnd));
    expect(endings.sort()).toEqual(['generation 2', 'said close', 'said close', 'said close']);
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 1, cut: 0 });
    endAll(wires);
  });
});

it('lets an adopted connection be silent for as long as the keep-alive timeout says', async () => {
  const master = runMaster({ env: { KEEP_ALIVE_MS: '300' }, command: app('has-timeouts') });
  const [wire] = await connectAndAsk(await master.serving(), 1);
  if (wire === undefined) throw new Error('no connection');
  await master.reload(2);
  expect(await exitOf(master, 1)).toMatchObject({ migrated: 1 });
  const ended = wire.closed;
  expect(await Promise.race([ended, pause(10_000).then(() => 'still open')])).toBe('end');
  expect(wire.received).not.toContain('408');
});

it('never hurries a client that has had its answer', async () => {
  const master = runMaster({ command: app('is-impatient') });
  const [wire] = await connectAndAsk(await master.serving(), 1);
  if (wire === undefined) throw new Error('no connection');
  for (const generation of [2, 3]) {
    await master.reload(generation);
    expect(await exitOf(master, generation - 1)).toMatchObject({ migrated: 1 });
  }
  // A connection that has never asked shows that the server's patience is over.
  const silent = await Wire.connect(await master.port());
  expect(await silent.closed).toBe('end');
  expect(await generationsOf([wire])).toEqual([3]);
  endAll([wire]);
});
