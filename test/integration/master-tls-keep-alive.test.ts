// HTTP/1 over TLS cannot move: a reload ends such a connection with its next answer, or leaves it to its keep-alive timeout.
import { once } from 'node:events';
import tls from 'node:tls';
import { expect, test } from 'vitest';
import { app, runMaster, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

function run(keepAliveMs: number): RunningMaster {
  return runMaster({ command: app('serves-tls'), env: { KEEP_ALIVE_MS: String(keepAliveMs) } });
}

async function connectAndAsk(port: number): Promise<Wire> {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const wire = new Wire(socket);
  wire.get('/');
  await wire.until('}');
  return wire;
}

async function tollOf(master: RunningMaster): Promise<object> {
  const { outcome, served, migrated, cut } = await master.waitFor('workerExited', { generation: 1 });
  return { code: outcome.code, served, migrated, cut };
}

test('a connection over TLS is told its keep-alive timeout until the drain, and close with its next answer in it', async () => {
  const master = run(60_000);
  const port = await master.serving();
  const wires = await Promise.all(Array.from({ length: 5 }, () => connectAndAsk(port)));
  for (const { received } of wires) {
    expect(received).toContain('Connection: keep-alive\r\n');
    expect(received).toContain('Keep-Alive: timeout=60\r\n');
  }
  await master.reload(2);
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  for (const wire of wires) {
    wire.received = '';
    wire.get('/');
  }
  expect(await Promise.all(wires.map(({ closed }) => closed))).toEqual(wires.map(() => 'end'));
  for (const { received } of wires) {
    expect(received).toContain('Connection: close\r\n');
    expect(received).not.toContain('Keep-Alive:');
    expect(received).toContain('"generation":1');
  }
  expect(await tollOf(master)).toEqual({ code: 0, served: 10, migrated: 0, cut: 0 });
});

test('a connection over TLS that is idle while its worker drains is ended by its keep-alive timeout, not before', async () => {
  const keepAliveMs = 3_000;
  const master = run(keepAliveMs);
  const port = await master.serving();
  const askedAt = performance.now();
  const wire = await connectAndAsk(port);
  await master.reload(2);
  expect(await wire.closed).toBe('end');
  // Timers may fire a little early.
  expect(performance.now() - askedAt).toBeGreaterThan(keepAliveMs - 10);
  expect(await tollOf(master)).toEqual({ code: 0, served: 1, migrated: 0, cut: 0 });
});
