import { once } from 'node:events';
import { createServer } from 'node:http';
import net, { type AddressInfo, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createConnections, withoutChecks } from '../../../../src/master/control/connection-limits.ts';

const timeMs = 100;

/** A server whose connections have this time. Resolves to its port. */
async function listen(): Promise<{ readonly server: Server; readonly port: number }> {
  const connections = createConnections(timeMs);
  const server = createServer(withoutChecks, (_request, response) => response.end('read'));
  server.on('connection', (socket) => {
    connections.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

async function connect(
  server: Server,
  port: number,
): Promise<{ readonly client: net.Socket; readonly all: Promise<string> }> {
  const accepted = once(server, 'connection');
  const client = net.connect(port, '127.0.0.1');
  let text = '';
  client.setEncoding('utf8').on('data', (part: string) => (text += part));
  client.on('error', () => undefined);
  const all = once(client, 'close').then(() => text);
  await Promise.all([accepted, once(client, 'connect')]);
  return { client, all };
}

const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

test('a request that has arrived while the process was busy for longer than its time is read and answered', async () => {
  const { server, port } = await listen();
  const { client, all } = await connect(server, port);
  client.write(request);
  // Nothing of this process runs meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * timeMs);
  expect(await all).toContain('read');
});

test('a connection on which no whole request arrives is closed when its time is over, and not before', async () => {
  const { server, port } = await listen();
  const { client, all } = await connect(server, port);
  const since = performance.now();
  client.write(request.slice(0, 10));
  expect(await all).toBe('');
  expect(performance.now() - since).toBeGreaterThan(timeMs * 0.8);
});
