// A worker that asks itself for its health, in memory, before it says ready.
import { afterEach, describe, expect, it } from 'vitest';
import { env } from '../../src/shared/protocol.ts';
import { MiniMaster, type MiniWorker } from '../helpers/mini-master.ts';
import { get } from '../helpers/plain-client.ts';
import { Wire } from '../helpers/wire.ts';

let master: MiniMaster;
afterEach(async () => {
  await master.close();
});

interface Asked {
  readonly warmup?: number;
  readonly readyTimeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

async function start({
  warmup = 0,
  readyTimeoutMs = 30_000,
  env: own = {},
}: Asked = {}): Promise<MiniWorker> {
  master = new MiniMaster();
  const order = { path: '/healthz', warmup, readyTimeoutMs };
  return master.start('answers-health.mjs', {
    env: { NODE_OPTIONS: '--no-warnings', [env.health]: JSON.stringify(order), ...own },
  });
}

/** What was asked before anybody was let in. */
function requests(worker: MiniWorker, kind: 'health check' | 'warm-up'): number {
  return worker.output.split(`request /healthz graceful-run (${kind})`).length - 1;
}

function reasons(worker: MiniWorker): readonly string[] {
  return worker.messages.flatMap((message) => (message.type === 'notReadyYet' ? [message.reason] : []));
}

describe('a worker that is asked for its health', () => {
  it.each(['http', 'https', 'http2 over TLS', 'http behind net', 'express', 'koa', 'fastify'])(
    'is ready when it has answered, and warm: %s',
    async (framework) => {
      const worker = await start({ warmup: 20, env: { FRAMEWORK: framework } });
      await worker.message('ready');
      expect(reasons(worker)).toEqual([]);
      expect(requests(worker, 'health check')).toBe(1);
      expect(requests(worker, 'warm-up')).toBe(20);
      // Each on a connection of its own, as its first client will be.
      expect(worker.output).toContain('(warm-up) on 21');
      if (framework === 'express') expect(worker.output).toContain('from 127.0.0.1');
      worker.drain();
      await worker.exited;
    },
  );

  it('serves clients afterwards, and counts and waits for them alone', async () => {
    const worker = await start({ warmup: 3 });
    await worker.message('ready');
    worker.admit();
    expect((await get(master.port)).status).toBe(200);
    worker.drain();
    expect((await worker.exited).code).toBe(0);
    expect(await worker.message('drained')).toMatchObject({ served: 1, cut: 0 });
  });

  it('is asked again until it is healthy, and says each reason why it is not', async () => {
    const worker = await start({ warmup: 2, env: { HEALTH: '503,503,reset,404,302' } });
    await worker.message('ready');
    expect(reasons(worker)).toEqual([
      'GET /healthz answered 503',
      'GET /healthz was not answered: socket hang up',
      'GET /healthz answered 404',
    ]);
    expect(requests(worker, 'health check')).toBe(5);
    expect(requests(worker, 'warm-up')).toBe(2);
  });

  it('warms up whatever it is answered', async () => {
    const worker = await start({ warmup: 9, env: { HEALTH: '200,503,reset,404' } });
    await worker.message('ready');
    expect(reasons(worker)).toEqual([]);
    expect(requests(worker, 'warm-up')).toBe(9);
  });

  it('is ready in time although a warm-up hangs', async () => {
    const worker = await start({ warmup: 5, readyTimeoutMs: 2_000, env: { HEALTH: '200,200,hang' } });
    await worker.message('ready');
    expect(requests(worker, 'warm-up')).toBe(2);
    await worker.says('hung up');
  });

  it('says that an answer is on its way for long, and asks again when it never comes', async () => {
    const worker = await start({ env: { HEALTH: 'hang,200' } });
    await worker.message('ready');
    expect(reasons(worker)).toEqual([
      'GET /healthz has not been answered yet',
      'GET /healthz was not answered within 5s',
    ]);
    expect(worker.output).toContain('hung up');
  });

  it('is asked only after ready() where it said manual', async () => {
    const worker = await start({ env: { TEST_MANUAL: '1', HEALTH: '503,200' } });
    await worker.says('listening');
    expect(worker.output).not.toContain('request');
    worker.child.send('ready');
    await worker.message('ready');
    expect(reasons(worker)).toEqual(['GET /healthz answered 503']);
  });

  it('accepts nobody before it is admitted', async () => {
    const worker = await start({ env: { HEALTH: '503' } });
    await worker.message('notReadyYet');
    const client = await Wire.connect(master.port);
    client.get('/');
    await worker.says(/(?:request \/healthz[^]*){3}/);
    expect(worker.output).not.toContain('request / ');
    client.socket.destroy();
  });

  it('ends of an exception in its handler as it would of one for a client', async () => {
    const worker = await start({ env: { HEALTH: 'throw' } });
    expect((await worker.exited).code).toBe(1);
    expect(worker.output).toContain('health is a lie');
  });

  it.each(['http2', 'http2 over TLS'])('says that HTTP/2 alone cannot be asked: %s', async (framework) => {
    const worker = await start({ env: { FRAMEWORK: framework, HTTP2_ALONE: '1' } });
    await worker.message('notReadyYet');
    expect(reasons(worker)[0]).toContain('HTTP/2');
  });

  it('drains at once when it is told to meanwhile', async () => {
    const worker = await start({ env: { HEALTH: 'hang' } });
    await worker.says('request /healthz');
    worker.drain();
    expect((await worker.exited).code).toBe(0);
    expect(await worker.message('drained')).toMatchObject({ served: 0, cut: 0 });
    expect(worker.messages.map(({ type }) => type)).not.toContain('ready');
  });
});

it('whoever is not asked, is ready when it listens', async () => {
  master = new MiniMaster();
  const worker = await master.serve('answers-health.mjs');
  expect(worker.output).not.toContain('request');
});

it('descendants of a worker know nothing of the order', async () => {
  master = new MiniMaster();
  const order = JSON.stringify({ path: '/', warmup: 0, readyTimeoutMs: 1_000 });
  const worker = await master.serve('tells-its-environment.cjs', { env: { [env.health]: order } });
  await worker.says(/^environment .*$/m);
  expect(worker.output).toContain('GRACEFUL_RUN_GENERATION');
  expect(worker.output).not.toContain(env.health);
});
