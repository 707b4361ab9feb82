import { spawn, type ChildProcess } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { MiniMaster, MiniWorker, testNode } from '../helpers/mini-master.ts';
import { Wire } from '../helpers/wire.ts';
import { workerBundle } from '../helpers/worker-bundle.ts';

describe('under a master', () => {
  let master: MiniMaster;
  afterEach(async () => {
    await master.close();
  });

  it('is ready when ready() was called and the listeners listen, in whichever order', async () => {
    for (const order of [
      ['ready', 'listen'],
      ['listen', 'ready'],
    ]) {
      master = new MiniMaster();
      const worker = await master.start('is-ready-manually.mjs', { env: { NODE_OPTIONS: '--no-warnings' } });
      await worker.says('api');
      worker.child.send(order[0] ?? '');
      worker.child.send('reload');
      await worker.message('reloadWanted');
      expect(worker.messages.map(({ type }) => type)).toEqual(['reloadWanted']);
      worker.child.send(order[1] ?? '');
      await worker.message('ready');
      worker.admit();
      expect(await (await fetch(master.url)).text()).toBe('manual');
      expect(worker.output).toContain('{"same":true,"misuse":"workerMisuse","generation":7,"managed":true}');
      await master.close();
    }
  });

  it('refuses manual mode once it has said to be ready', async () => {
    master = new MiniMaster();
    const worker = await master.serve('is-ready-too-late.mjs');
    worker.child.send('now');
    await worker.says('thrown GracefulRunError workerMisuse');
  });
});

describe('alone', () => {
  let child: ChildProcess;
  afterEach(() => child.kill('SIGKILL'));

  async function startAlone(env: NodeJS.ProcessEnv = {}): Promise<{ worker: MiniWorker; port: number }> {
    const { api } = await workerBundle();
    const script = new URL('../fixtures/worker/alone.mjs', import.meta.url).pathname;
    child = spawn(testNode, [script], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env, TEST_API: api },
    });
    const worker = new MiniWorker(child, () => undefined);
    await worker.says(/^alone .*$/m);
    const said: unknown = JSON.parse(/^alone (.*)$/m.exec(worker.output)?.[1] ?? '');
    expect(said).toMatchObject({ code: 'EADDRINUSE', managed: false, generation: 0, reload: false });
    return { worker, port: Number(/"port":(\d+)/.exec(worker.output)?.[1]) };
  }

  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)('drains and exits on %s', async (signal) => {
    const { worker, port } = await startAlone();
    const client = await Wire.connect(port);
    client.get('/');
    await client.until('first');
    child.kill(signal);
    await client.until('last');
    client.socket.destroy();
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(worker.output).toContain('hook stop');
  });

  it('exits at once on a second signal of another kind', async () => {
    const { worker, port } = await startAlone({ ENDLESS: '1' });
    const client = await Wire.connect(port);
    client.get('/');
    await client.until('first');
    child.kill('SIGINT');
    await worker.says('draining');
    child.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 143, signal: null });
    await client.closed;
  });

  it('exits on a second signal of the same kind', async () => {
    const { worker, port } = await startAlone({ ENDLESS: '1' });
    const client = await Wire.connect(port);
    client.get('/');
    await client.until('first');
    child.kill('SIGINT');
    await worker.says('draining');
    // Again and again, because one that comes at once counts as the first, forwarded.
    const impatient = setInterval(() => child.kill('SIGINT'), 100);
    const ended = await worker.exited.finally(() => {
      clearInterval(impatient);
    });
    expect(ended).toEqual({ code: 130, signal: null });
    await client.closed;
  });

  it('drains when its one signal arrives twice, as it does under npm', async () => {
    const { worker, port } = await startAlone({ TWICE: 'SIGINT' });
    const client = await Wire.connect(port);
    client.get('/');
    await client.until('first');
    child.kill('SIGINT');
    await client.until('last');
    client.socket.destroy();
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(worker.output).toContain('hook stop');
  });

  it('ends at the deadline of the environment', async () => {
    const { worker, port } = await startAlone({ ENDLESS: '1', GRACEFUL_RUN_DRAIN_TIMEOUT_MS: '50' });
    const client = await Wire.connect(port);
    client.get('/');
    await client.until('first');
    child.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    await client.closed;
  });
});
