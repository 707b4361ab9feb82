import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { serverMethod } from '../../../../src/worker/node-internals/server-prototype.ts';
import { createServers } from '../../../../src/worker/tracking/servers.ts';

const opened: net.Server[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) server.close();
});

async function listening(): Promise<net.Server> {
  const server = net.createServer();
  opened.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('a server that has stopped accepting looks as it did, until the application closes it', async () => {
  const servers = createServers(serverMethod('close'));
  const server = await listening();
  const before = server.address();
  servers.track(server);
  servers.stopAccepting();
  expect(server.listening).toBe(true);
  expect(server.address()).toEqual(before);
  expect(server.address()).not.toBe(server.address());
  expect(Object.keys(server)).not.toContain('listening');
  servers.stopAccepting();
  expect(servers.takeQuietlyClosed(server)).toBe(true);
  expect(server.listening).toBe(false);
  expect(server.address()).toBeNull();
  expect(servers.takeQuietlyClosed(server)).toBe(false);
});

test('a server with an address() of its own keeps it', async () => {
  const servers = createServers(serverMethod('close'));
  const server = await listening();
  Object.defineProperty(server, 'address', { value: () => 'its own', configurable: true });
  servers.track(server);
  servers.stopAccepting();
  expect(server.address()).toBe('its own');
  servers.takeQuietlyClosed(server);
  expect(server.address()).toBe('its own');
  expect(server.listening).toBe(false);
});

test('of many servers, only those that listen are kept', async () => {
  const servers = createServers(serverMethod('close'));
  const server = await listening();
  servers.track(server);
  for (let count = 0; count < 1_000; count += 1) servers.track(net.createServer());
  const kept = new Set(servers.all());
  expect(kept.has(server)).toBe(true);
  expect(kept.size).toBeLessThan(100);
});
