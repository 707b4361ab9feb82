import net from 'node:net';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { serverMethod } from '../../../../src/worker/node-internals/server-prototype.ts';
import { createTracking } from '../../../../src/worker/tracking/tracking.ts';

test('a server that was dropped because it did not listen yet is tracked when it does', () => {
  const tracking = createTracking(serverMethod('close'));
  const waiting = net.createServer();
  tracking.servers.track(waiting);
  for (let count = 0; count < 200; count += 1) tracking.servers.track(net.createServer());
  expect(new Set(tracking.servers.all()).has(waiting)).toBe(false);
  tracking.noteEvent(waiting, 'listening', undefined);
  expect(new Set(tracking.servers.all()).has(waiting)).toBe(true);
});

test("an application's own events count nothing, and do not make a drain wait", async () => {
  const tracking = createTracking(serverMethod('close'));
  const server = net.createServer();
  tracking.servers.track(server);
  const bare = Object.create(null) as object;
  for (const event of ['connection', 'secureConnection', 'session', 'stream']) {
    for (const first of [bare, {}, { once: () => undefined }, { closed: false }, 'text', null, undefined])
      tracking.noteEvent(server, event, first);
  }
  expect(tracking.connections.open()).toEqual([]);
  expect(tracking.requests.served()).toBe(0);
  await tracking.connections.whenNoneOpen();
});

test('any Duplex that an application emits as a connection counts as one', () => {
  const tracking = createTracking(serverMethod('close'));
  const server = net.createServer();
  tracking.servers.track(server);
  tracking.noteEvent(server, 'connection', new Duplex());
  expect(tracking.connections.open()).toHaveLength(1);
});
