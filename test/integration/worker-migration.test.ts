// What a worker does with its connections as its master introduces it to others: to the right ones, too late, or to nobody.
import { afterEach, describe, expect, it } from 'vitest';
import { MiniMaster, type MiniWorker } from '../helpers/mini-master.ts';
import { pauseProcess } from '../helpers/pause-process.ts';
import { Wire } from '../helpers/wire.ts';

interface Answer {
  readonly listener: number;
  readonly pid: number;
  readonly isLast: boolean;
}

const script = 'serves-each-listener.cjs';

let master: MiniMaster;
const wires: Wire[] = [];
afterEach(async () => {
  for (const { socket } of wires.splice(0)) socket.destroy();
  await master.close();
});

async function ask(wire: Wire): Promise<Answer> {
  wire.received = '';
  wire.get('/');
  await wire.until('}');
  const body = JSON.parse(wire.received.slice(wire.received.indexOf('{'))) as Omit<Answer, 'isLast'>;
  return { ...body, isLast: wire.received.includes('Connection: close') };
}

/** Asks until the answer is such a one. */
async function askUntil(wire: Wire, isIt: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await ask(wire);
    if (isIt(answer)) return answer;
  }
}

/** Connections that have had an answer, `count` for each listener, in turns. */
async function connect(count: number): Promise<readonly Wire[]> {
  const ports = Array.from({ length: count }, () => master.ports).flat();
  const connected = await Promise.all(ports.map((port) => Wire.connect(port)));
  wires.push(...connected);
  await Promise.all(connected.map(ask));
  return connected;
}

async function drain(worker: MiniWorker): Promise<void> {
  worker.drain('reload', 10_000, true);
  await worker.message('acceptsNoMore');
}

describe('several listeners', () => {
  it('each get their own connections in the new worker, whatever order it listens in', async () => {
    master = new MiniMaster({ count: 3 });
    const old = await master.serve(script);
    const connections = await connect(10);
    const next = await master.serve(script, { env: { REVERSED: '1' } });
    await drain(old);
    await master.introduce(old, next);
    expect(await old.exited).toEqual({ code: 0, signal: null });
    expect(old.messages.at(-1)).toMatchObject({ type: 'drained', migrated: 30, cut: 0 });
    const listeners = Array.from({ length: 10 }, () => [0, 1, 2]).flat();
    expect(await Promise.all(connections.map(ask))).toEqual(
      listeners.map((listener) => ({ listener, pid: next.pid, isLast: false })),
    );
  });

  it('keep those with the old worker that the new one has no server for any more, and the others move', async () => {
    master = new MiniMaster({ count: 2 });
    const old = await master.serve(script);
    const [first, second] = await connect(1);
    if (first === undefined || second === undefined) throw new Error('no connection');
    const next = await master.serve(script);
    next.child.send('close');
    await next.says('closed');
    await drain(old);
    await master.introduce(old, next);
    expect(await askUntil(second, ({ pid }) => pid !== old.pid)).toEqual({
      listener: 1,
      pid: next.pid,
      isLast: false,
    });
    expect(await askUntil(first, ({ isLast }) => isLast)).toEqual({
      listener: 0,
      pid: old.pid,
      isLast: true,
    });
    expect((await old.exited).code).toBe(0);
    expect(old.messages.at(-1)).toMatchObject({ type: 'drained', migrated: 1, cut: 0 });
  });
});

describe('a worker that drains and has not been introduced to anybody', () => {
  it('serves as ever for a while, and then says close with every next answer', async () => {
    master = new MiniMaster();
    const old = await master.serve(script);
    const [asking, ...idle] = await connect(5);
    if (asking === undefined) throw new Error('no connection');
    await drain(old);
    expect(await ask(asking)).toEqual({ listener: 0, pid: old.pid, isLast: false });
    await askUntil(asking, ({ isLast }) => isLast);
    expect(await Promise.all(idle.map(ask))).toEqual(
      idle.map(() => ({ listener: 0, pid: old.pid, isLast: true })),
    );
    expect((await old.exited).code).toBe(0);
    expect(old.messages.at(-1)).toMatchObject({ type: 'drained', migrated: 0, cut: 0 });
  });

  it('gives away what is still idle when somebody comes after all', async () => {
    master = new MiniMaster();
    const old = await master.serve(script);
    const [asking, ...idle] = await connect(5);
    if (asking === undefined) throw new Error('no connection');
    await drain(old);
    await askUntil(asking, ({ isLast }) => isLast);
    const next = await master.serve(script);
    await master.introduce(old, next);
    expect((await old.exited).code).toBe(0);
    expect(old.messages.at(-1)).toMatchObject({ type: 'drained', migrated: 4, cut: 0 });
    expect(await Promise.all(idle.map(ask))).toEqual(
      idle.map(() => ({ listener: 0, pid: next.pid, isLast: false })),
    );
  });

  it('serves as ever when the one that it was introduced to does not greet, and gives away as soon as it does', async () => {
    master = new MiniMaster();
    const old = await master.serve(script);
    const [asking, ...idle] = await connect(5);
    if (asking === undefined) throw new Error('no connection');
    const next = await master.serve(script);
    await pauseProcess(next.pid);
    await master.introduce(old, next);
    await drain(old);
    expect(await ask(asking)).toEqual({ listener: 0, pid: old.pid, isLast: false });
    await askUntil(asking, ({ isLast }) => isLast);
    process.kill(next.pid, 'SIGCONT');
    expect((await old.exited).code).toBe(0);
    expect(old.messages.at(-1)).toMatchObject({ type: 'drained', migrated: 4, cut: 0 });
    expect(await Promise.all(idle.map(ask))).toEqual(
      idle.map(() => ({ listener: 0, pid: next.pid, isLast: false })),
    );
  });

  it('serves as ever when the one that it was introduced to drains itself, until the next one comes', async () => {
    master = new MiniMaster();
    const old = await master.serve(script);
    const connections = await connect(5);
    const next = await master.serve(script);
    await drain(old);
    // Keeps it from exiting.
    await connect(1);
    await drain(next);
    await master.introduce(old, next);
    // It is asked again and again, and refuses.
    for (let round = 0; round < 20; round += 1) {
      for (const answer of await Promise.all(connections.map(ask)))
        expect(answer).toEqual({ listener: 0, pid: old.pid, isLast: false });
    }
    const last = await master.serve(script);
    await master.introduce(old, last);
    expect((await old.exited).code).toBe(0);
    expect(old.messages.at(-1)).toMatchObject({ type: 'drained', migrated: 5, cut: 0 });
    expect(await Promise.all(connections.map(ask))).toEqual(
      connections.map(() => ({ listener: 0, pid: last.pid, isLast: false })),
    );
  });

  it('goes on without the second of two when that is not named in time', async () => {
    master = new MiniMaster();
    const old = await master.serve(script);
    const connections = await connect(5);
    const next = await master.serve(script);
    await drain(old);
    await master.introduce(old, next, 1);
    expect((await old.exited).code).toBe(0);
    expect(old.messages.at(-1)).toMatchObject({ type: 'drained', migrated: 5, cut: 0 });
    expect(await Promise.all(connections.map(ask))).toEqual(
      connections.map(() => ({ listener: 0, pid: next.pid, isLast: false })),
    );
  });
});
