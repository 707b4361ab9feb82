// Applications that have their own opinion about the Connection header.
import net from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { MiniMaster, type MiniWorker } from '../helpers/mini-master.ts';
import { Wire } from '../helpers/wire.ts';

const ways = ['object', 'array', 'set', 'append', 'many', 'remove'];

let master: MiniMaster;
afterEach(async () => {
  await master.close();
});

async function ended(worker: MiniWorker, clients: readonly Wire[]): Promise<void> {
  expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(clients.map(() => 'end'));
  for (const { received } of clients) {
    expect(received).toMatch(/\r\nConnection: close\r\n/);
    expect(received).toContain('answer');
  }
  expect((await worker.exited).code).toBe(0);
  expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', cut: 0 });
}

it('says close while it drains, however the application says keep-alive', async () => {
  master = new MiniMaster();
  const worker = await master.serve('keeps-alive.cjs');
  const clients = await Promise.all(ways.map(() => Wire.connect(master.port)));
  for (const client of clients) client.get('/');
  await Promise.all(clients.map((client) => client.until('answer /')));
  worker.drain();
  await worker.message('acceptsNoMore');
  for (const [at, client] of clients.entries()) {
    client.received = '';
    client.get(`/${ways[at]}`);
  }
  await ended(worker, clients);
  for (const { received } of clients) expect(received).not.toContain('keep-alive');
});

it('says close in the response that was waiting when the drain began, however late keep-alive is said', async () => {
  master = new MiniMaster();
  const worker = await master.serve('keeps-alive.cjs');
  const clients = await Promise.all(ways.map(() => Wire.connect(master.port)));
  for (const [at, client] of clients.entries()) {
    client.write(`GET /${ways[at]} HTTP/1.1\r\nHost: test\r\nHeld: yes\r\n\r\n`);
    await worker.says(`request /${ways[at]}`);
  }
  worker.drain();
  await worker.message('acceptsNoMore');
  worker.child.send('release');
  await ended(worker, clients);
  for (const { received } of clients) expect(received).not.toContain('keep-alive');
});

it('loses no header of those that come in a list', async () => {
  master = new MiniMaster();
  const worker = await master.serve('keeps-alive.cjs');
  const client = await Wire.connect(master.port);
  client.get('/');
  await client.until('answer /');
  worker.drain();
  await worker.message('acceptsNoMore');
  client.get('/array');
  await ended(worker, [client]);
  expect(client.received).toMatch(/x-a: 1\r\nx-a: 2\r\n/i);
});

it.each(['switches', 'switchesLater'])('lets a response switch protocols in a drain: %s', async (way) => {
  master = new MiniMaster();
  const worker = await master.serve('keeps-alive.cjs');
  const client = await Wire.connect(master.port);
  client.get('/');
  await client.until('answer /');
  worker.drain();
  await worker.message('acceptsNoMore');
  client.received = '';
  client.get(`/${way}`);
  await client.until('\r\n\r\n');
  expect(client.received).toMatch(/^HTTP\/1.1 101 /);
  expect(client.received).toMatch(/\r\nConnection: Upgrade\r\n/);
  expect(client.received).not.toContain('close');
  client.socket.destroy();
  expect((await worker.exited).code).toBe(0);
});

it('keeps the connection for a pipelined request, and closes it after that', async () => {
  master = new MiniMaster();
  const worker = await master.serve('keeps-alive.cjs');
  const client = await Wire.connect(master.port);
  const get = (path: string): void => {
    client.write(`GET ${path} HTTP/1.1\r\nHost: test\r\nHeld: yes\r\n\r\n`);
  };
  get('/object');
  await worker.says('request /object');
  worker.drain();
  await worker.message('acceptsNoMore');
  get('/set');
  await worker.says('request /set');
  worker.child.send('release');
  await ended(worker, [client]);
  expect(client.received.match(/answer \/(?:object|set)/g)).toHaveLength(2);
  expect(client.received.match(/\r\nConnection: close\r\n/g)).toHaveLength(1);
  expect(client.received.match(/\r\nConnection: keep-alive\r\n/g)).toHaveLength(1);
});

it('reads the rest of a request that was answered before its end: closing then would reset the answer', async () => {
  master = new MiniMaster();
  const worker = await master.serve('serves.cjs');
  // It goes on sending after the server's end.
  const socket = net.connect({ port: master.port, host: '127.0.0.1', allowHalfOpen: true });
  const client = new Wire(socket);
  client.get('/');
  await client.until(String(worker.pid));
  worker.drain();
  await worker.message('acceptsNoMore');
  const [parts, part] = [64, 'x'.repeat(65_536)];
  client.write(`POST / HTTP/1.1\r\nHost: test\r\nContent-Length: ${parts * part.length}\r\n\r\n`);
  await client.until('Connection: close');
  for (let sent = 0; sent < parts; sent++) await client.writeAll(part);
  socket.end();
  expect(await client.closed).toBe('end');
  expect((await worker.exited).code).toBe(0);
  expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', served: 2, cut: 0 });
});
