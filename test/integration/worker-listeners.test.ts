// Applications that remove the listeners of process, ours among them.
import { fork } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { MiniMaster, MiniWorker, testNode } from '../helpers/mini-master.ts';
import { Wire } from '../helpers/wire.ts';

let master: MiniMaster;
afterEach(async () => {
  await master.close();
});

it.each(['each', 'all', 'oneByOne'])(
  'is admitted and drains though the application has removed the listeners of process (%s)',
  async (how) => {
    master = new MiniMaster();
    const worker = await master.serve('removes-listeners.cjs', { env: { HOW: how } });
    await worker.says('removed');
    const client = await Wire.connect(master.port);
    client.get('/');
    await client.until('serves');
    worker.drain('scaleDown');
    await worker.message('acceptsNoMore');
    client.get('/');
    await client.until('Connection: close');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', cut: 0 });
  },
);

it.each(['each', 'all', 'oneByOne'])(
  'hurries when the master says SIGTERM though the listeners were removed (%s)',
  async (how) => {
    master = new MiniMaster();
    const worker = await master.serve('removes-listeners.cjs', { env: { HOW: how } });
    const client = await Wire.connect(master.port);
    client.get('/');
    await client.until('serves');
    worker.drain('reload', 60_000);
    await worker.message('acceptsNoMore');
    process.kill(worker.pid, 'SIGUSR2');
    await worker.says('once more');
    process.kill(worker.pid, 'SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', cut: 1 });
    client.socket.destroy();
  },
);

it('ends by itself when it has nothing to do, whatever was put back', async () => {
  master = new MiniMaster();
  const worker = await master.start('removes-listeners.cjs', { env: { HOW: 'each', CLOSE: '1' } });
  expect(await worker.exited).toEqual({ code: 0, signal: null });
});

it('sees no listener, and nothing pending, that would not be there without a master', async () => {
  master = new MiniMaster();
  const worker = await master.serve('counts-listeners.cjs');
  await worker.says('}\n');
  const script = new URL('../fixtures/worker/counts-listeners.cjs', import.meta.url).pathname;
  const child = fork(script, { execPath: testNode, env: { ...process.env, PORT: '0' }, stdio: 'pipe' });
  const bare = new MiniWorker(child, () => undefined);
  await bare.says('}\n');
  await bare.exited;
  expect(JSON.parse(worker.output)).toEqual(JSON.parse(bare.output));
});
