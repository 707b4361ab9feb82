// What calls the application back does so in the asynchronous context in which the application asked for it.
import { afterEach, describe, expect, it } from 'vitest';
import { env } from '../../src/shared/protocol.ts';
import { MiniMaster, type MiniWorker } from '../helpers/mini-master.ts';
import { Wire } from '../helpers/wire.ts';

const script = 'keeps-contexts.mjs';

let master: MiniMaster;
const wires: Wire[] = [];
afterEach(async () => {
  for (const { socket } of wires.splice(0)) socket.destroy();
  await master.close();
});

async function connect(): Promise<Wire> {
  const wire = await Wire.connect(master.port);
  wires.push(wire);
  await ask(wire);
  return wire;
}

/** The contexts of the answer: of AsyncLocalStorage, and the domain. */
async function ask(wire: Wire): Promise<string> {
  wire.received = '';
  wire.get('/');
  await wire.until('}');
  return wire.received.slice(wire.received.indexOf('{'));
}

/** Moves what the worker has open to another one. */
async function replace(old: MiniWorker): Promise<MiniWorker> {
  const next = await master.serve(script);
  old.drain('reload', 10_000, true);
  await old.message('acceptsNoMore');
  await master.introduce(old, next);
  return next;
}

describe('the context', () => {
  it.each([
    ['that listens', {}],
    ['that listens after another one', { SECOND: '1' }],
  ])('of listen() is there in the requests of a server %s', async (_which, own) => {
    master = new MiniMaster();
    const worker = await master.start(script, { env: own });
    await worker.says('listening: listen listen');
    await worker.message('ready');
    worker.admit();
    expect(await ask(await connect())).toBe('{listen listen}');
  });

  it('of listen() is there in the requests of a connection that has moved', async () => {
    master = new MiniMaster();
    const old = await master.serve(script);
    const wire = await connect();
    const next = await replace(old);
    await old.exited;
    expect(await ask(wire)).toBe('{listen listen}');
    expect(next.output).toContain('request /: listen listen');
  });

  it('of listen() is there when a worker asks itself for its health', async () => {
    master = new MiniMaster();
    const order = { path: '/healthz', warmup: 1, readyTimeoutMs: 30_000 };
    const worker = await master.start(script, { env: { [env.health]: JSON.stringify(order) } });
    await worker.message('ready');
    expect(worker.output.match(/request \/healthz: listen listen/g)).toHaveLength(2);
  });

  it('of onAdopt() and migrate() is there when a connection of another protocol moves', async () => {
    master = new MiniMaster();
    const old = await master.serve(script);
    const wire = await Wire.connect(master.port);
    wires.push(wire);
    wire.socket.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: own\r\nConnection: Upgrade\r\n\r\n');
    await wire.until('\r\n\r\nown');
    await replace(old);
    await wire.until('own {adopt adopt}');
    await old.exited;
    expect(old.output).toContain('state: migrate migrate');
    expect(old.output).toContain('released: migrate migrate');
  });

  it('of each listener of the abort signal, of each hook, and of a signal is there in a drain', async () => {
    master = new MiniMaster();
    const worker = await master.serve(script);
    worker.drain('scaleDown');
    expect((await worker.exited).code).toBe(0);
    const said = worker.output.split('\n').filter((line) => !line.startsWith('listening'));
    expect(said.filter(Boolean)).toEqual([
      'abort: abort abort',
      'abort object: abort abort',
      'onabort: abort abort',
      'hook: hook hook',
      // As Node.js does it: every listener of a signal is called in the context of the first.
      'SIGTERM: first first',
      'SIGTERM again: first first',
    ]);
  });

  it('of a listener of a signal is there when the signal comes from elsewhere', async () => {
    master = new MiniMaster();
    const worker = await master.serve(script);
    process.kill(worker.pid, 'SIGTERM');
    expect((await worker.exited).code).toBe(0);
    expect(worker.output).toContain('SIGTERM: first first\nSIGTERM again: first first\n');
  });
});
