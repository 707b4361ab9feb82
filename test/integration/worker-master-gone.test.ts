import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withPreload } from '../../src/shared/node-options.ts';
import { MiniMaster, MiniWorker, testNode } from '../helpers/mini-master.ts';
import { Wire } from '../helpers/wire.ts';
import { workerBundle } from '../helpers/worker-bundle.ts';

const fixture = (name: string): string => new URL(`../fixtures/worker/${name}`, import.meta.url).pathname;

interface DyingMaster {
  readonly listeners: MiniMaster;
  readonly master: MiniWorker;
  readonly workerPid: number;
  /** What the worker wrote when it exited; waits for it. */
  readonly exit: () => Promise<string>;
  readonly close: () => Promise<void>;
}

/** A master of its own process, to be killed, and its admitted worker. */
async function dyingMaster(script: string, env: NodeJS.ProcessEnv = {}): Promise<DyingMaster> {
  const listeners = new MiniMaster();
  const { preload } = await workerBundle();
  const folder = mkdtempSync(join(tmpdir(), 'graceful-run-test-'));
  const exitFile = join(folder, 'exit');
  const child = spawn(process.execPath, [fixture('dying-master.mjs')], {
    stdio: ['ignore', 'pipe', 'pipe', listeners.fd],
    env: {
      ...process.env,
      PORT: String(listeners.port),
      WORKER_NODE: testNode,
      WORKER_SCRIPT: fixture(script),
      WORKER_OPTIONS: withPreload(undefined, preload),
      GRACEFUL_RUN_LISTENERS: JSON.stringify([
        { name: 'web', fd: 3, type: 'tcp', host: '127.0.0.1', port: listeners.port, backlog: 128 },
      ]),
      EXIT_FILE: exitFile,
      ...env,
    },
  });
  const master = new MiniWorker(child, () => undefined);
  await master.says(/admitted \d+/);
  return {
    listeners,
    master,
    workerPid: Number(/admitted (\d+)/.exec(master.output)?.[1]),
    async exit() {
      // Written, not only there: a file is empty between its open(2) and its write(2).
      const written = (): string => (existsSync(exitFile) ? readFileSync(exitFile, 'utf8') : '');
      await expect.poll(written, { timeout: 10_000 }).not.toBe('');
      return written();
    },
    async close() {
      rmSync(folder, { recursive: true });
      await listeners.close();
    },
  };
}

it('drains when its master is killed, though what it writes goes nowhere', async () => {
  const { listeners, master, workerPid, exit, close } = await dyingMaster('outlives-its-master.cjs');
  const client = await Wire.connect(listeners.port);
  client.get('/');
  await client.until('first');
  master.child.kill('SIGKILL');
  await master.exited;
  // It goes on serving what it has, and has stopped accepting: it writes into the broken pipe all the while.
  process.kill(workerPid, 'SIGUSR2');
  await client.until('last');
  client.socket.end();
  expect(await exit()).toBe('exit 0');
  await close();
});

it('drains when its master is killed after the application has hung up', async () => {
  const { listeners, master, exit, close } = await dyingMaster('hangs-up.cjs', { AT: 'start' });
  const response = await fetch(listeners.url, { headers: { connection: 'close' } });
  expect(await response.text()).toBe('still here');
  master.child.kill('SIGKILL');
  await master.exited;
  expect(await exit()).toBe('exit 0');
  await close();
});

it('tells an application that hangs up twice that it has hung up, once', async () => {
  const master = new MiniMaster();
  const worker = await master.serve('hangs-up.cjs');
  worker.child.send('hang up twice');
  await worker.says('twice');
  expect(worker.output).toBe('disconnected\ntwice\n');
  await master.close();
});

it('goes on serving when the application hangs up itself, and drains on the signal', async () => {
  const master = new MiniMaster();
  const worker = await master.serve('hangs-up.cjs');
  worker.child.send('hang up');
  await worker.says('disconnected');
  const response = await fetch(master.url, { headers: { connection: 'close' } });
  expect(await response.text()).toBe('still here');
  process.kill(worker.pid, 'SIGQUIT');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  await master.close();
});
