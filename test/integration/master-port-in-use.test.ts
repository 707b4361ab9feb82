// A port that somebody else holds.
import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from 'vitest';
import { runMaster } from '../helpers/run-master.ts';

async function hold(): Promise<{ stranger: net.Server; port: number }> {
  const stranger = net.createServer().listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  return { stranger, port: (stranger.address() as net.AddressInfo).port };
}

test('a port that stays in use ends the master with 1 after five seconds, and the holder is named', async () => {
  const { stranger, port } = await hold();
  const startedAt = performance.now();
  const master = runMaster({ flags: ['--port', String(port)] });
  await master.closed;
  expect(await master.exited).toEqual({ code: 1, signal: null });
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(5_000);
  expect(master.lines).toEqual([
    expect.stringContaining(`pid ${process.pid} `),
    expect.stringMatching(/^ {2}hint: /),
  ]);
  stranger.close();
});

test('a port that is let go in time is taken', async () => {
  const { stranger, port } = await hold();
  const master = runMaster({ flags: ['--port', String(port)] });
  setTimeout(() => stranger.close(), 300);
  expect(await master.serving()).toBe(port);
});

test('an address that this machine does not have ends the master with 1', async () => {
  const master = runMaster({ flags: ['--host', '192.0.2.1'] });
  await master.closed;
  expect(await master.exited).toEqual({ code: 1, signal: null });
});
