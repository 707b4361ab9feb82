// WebSockets of programs that know nothing of graceful-run: a drain tells their clients to go away, properly.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { CountingClient } from '../helpers/counting-client.ts';
import { EventLog } from '../helpers/event-log.ts';
import { freePort } from '../helpers/plain-client.ts';
import { runMaster, type RunningMaster } from '../helpers/run-master.ts';

const server = new URL('../fixtures/websockets/plain.mjs', import.meta.url).pathname;

function run(env: NodeJS.ProcessEnv = {}, flags: readonly string[] = []): RunningMaster {
  const command = [process.execPath, server];
  return runMaster({ command, env, flags: ['--drain-timeout', '1s', ...flags] });
}

interface Client {
  readonly ws: WebSocket;
  /** Who serves it. */
  readonly generation: string;
  readonly closed: Promise<number>;
}

async function open(url: string, options: ClientOptions = {}): Promise<Client> {
  const ws = new WebSocket(url, { rejectUnauthorized: false, ...options });
  const closed = once(ws, 'close').then(([code]) => Number(code));
  const [greeting] = (await once(ws, 'message')) as [Buffer];
  return { ws, generation: greeting.toString(), closed };
}

it.each([
  ['over TCP', 'ws', {}],
  ['over TLS', 'wss', { TLS: '1' }],
])('every one gets 1001 %s, and may come back to the new worker', async (_how, scheme, env) => {
  const master = run(env);
  const url = `${scheme}://127.0.0.1:${await master.serving()}`;
  const clients = await Promise.all([1, 2, 3, 4].map(() => open(url)));
  await master.reload(2);
  expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([1001, 1001, 1001, 1001]);
  const { outcome, cut } = await master.waitFor('workerExited', { generation: 1 });
  expect({ code: outcome.code, cut }).toEqual({ code: 0, cut: 0 });
  expect(master.lines.filter((line) => line === 'heard close 1001')).toHaveLength(4);
  const again = await open(url);
  expect(again.generation).toBe('2');
  again.ws.terminate();
});

it('one that opens during the drain gets it, too', async () => {
  const master = run({}, ['--no-migrate']);
  const port = await master.serving();
  const url = `ws://127.0.0.1:${port}`;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  // That one is accepted by now.
  const early = await open(url);
  await master.reload(2);
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  const late = await open(url, { createConnection: () => socket });
  expect(late.generation).toBe('1');
  expect(await Promise.all([early.closed, late.closed])).toEqual([1001, 1001]);
  const { outcome, cut } = await master.waitFor('workerExited', { generation: 1 });
  expect({ code: outcome.code, cut }).toEqual({ code: 0, cut: 0 });
});

it('a stop says it, too', async () => {
  const master = run();
  const clients = await Promise.all([1, 2].map(async () => open(`ws://127.0.0.1:${await master.serving()}`)));
  master.signal('SIGTERM');
  expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([1001, 1001]);
  expect((await master.exited).code).toBe(0);
});

it('a program that runs alone says it, too', async () => {
  const script = new URL('../fixtures/websockets/counts.mjs', import.meta.url).pathname;
  const port = await freePort();
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, PORT: String(port), GRACEFUL_RUN_DRAIN_TIMEOUT_MS: '1000' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const log = new EventLog();
  log.read(child.stderr);
  await log.waitForLine('listening');
  const clients = await Promise.all([1, 2].map(() => CountingClient.connect(port)));
  child.kill('SIGTERM');
  expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([1001, 1001]);
  expect(await once(child, 'exit')).toEqual([0, null]);
});
