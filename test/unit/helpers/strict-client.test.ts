// The client that proves the product has to be proven itself: against servers that are bad on purpose.
import { once } from 'node:events';
import http from 'node:http';
import net, { type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { startLoad, type LoadOptions } from '../../helpers/strict-client.ts';
import { failureCounts, failuresOf, type Tally } from '../../helpers/tally.ts';

const servers: net.Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((closed) => server.close(closed))));
});

const answerOk = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

async function listen(server: net.Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A server that does this with the nth request of a connection (from 0). */
function listenRaw(serve: (socket: Socket, at: number) => void): Promise<number> {
  const server = net.createServer((socket) => {
    let at = 0;
    socket.on('data', () => {
      serve(socket, at);
      at += 1;
    });
  });
  return listen(server);
}

function load(port: number, options: Partial<LoadOptions>): Promise<Tally> {
  return startLoad({ port, mode: 'keepAlive', maxRequests: 4, timeoutMs: 5_000, ...options }).ended;
}

test('a good server has no failures, and keep-alive clients use one connection each', async () => {
  const port = await listen(http.createServer((_, response) => response.end('ok')));
  const tally = await load(port, { clients: 2, maxRequests: 50 });
  expect(failureCounts(tally)).toEqual({});
  expect(tally).toMatchObject({ answered: 50, connections: 2, closedAsAnnounced: 0, closedIdle: 0 });
});

test('fresh clients use a connection for every request', async () => {
  const port = await listen(http.createServer((_, response) => response.end('ok')));
  const tally = await load(port, { mode: 'fresh', maxRequests: 20 });
  expect(failureCounts(tally)).toEqual({});
  expect(tally).toMatchObject({ answered: 20, connections: 20 });
});

test('a body is posted as it is', async () => {
  const port = await listen(http.createServer((request, response) => request.pipe(response)));
  const body = 'x'.repeat(100_000);
  const problemOf: LoadOptions['problemOf'] = (response) => (response.body === body ? null : 'another body');
  const tally = await load(port, { body, problemOf });
  expect(failureCounts(tally)).toEqual({});
  expect(tally.answered).toBe(4);
});

test('a connection that the server announces to close is replaced, without a failure', async () => {
  const port = await listenRaw((socket) => {
    socket.end(answerOk.replace('OK\r\n', 'OK\r\nConnection: close\r\n'));
  });
  const tally = await load(port, {});
  expect(failureCounts(tally)).toEqual({});
  expect(tally).toMatchObject({ answered: 4, connections: 4, closedAsAnnounced: 4 });
});

test('a connection that the server closes while nothing is under way is replaced, without a failure', async () => {
  const port = await listenRaw((socket) => {
    socket.end(answerOk);
  });
  const tally = await load(port, { paceMs: 100 });
  expect(failureCounts(tally)).toEqual({});
  expect(tally).toMatchObject({ answered: 4, connections: 4 });
  expect(tally.closedIdle).toBe(4);
});

test('a request written to a connection that then ends is a failure, and is not made again', async () => {
  let requests = 0;
  const port = await listenRaw((socket, at) => {
    requests += 1;
    if (at === 0) socket.write(answerOk);
    else socket.end();
  });
  const tally = await load(port, {});
  expect(failureCounts(tally)).toEqual({ unanswered: 2 });
  expect(tally.answered).toBe(2);
  expect(requests).toBe(4);
});

test('an answer that ends in the middle is a failure', async () => {
  const port = await listenRaw((socket) => {
    socket.end(answerOk.slice(0, -1));
  });
  expect(failureCounts(await load(port, {}))).toEqual({ earlyEnd: 4 });
});

test('an answer that says a length too great is a failure', async () => {
  const port = await listen(
    http.createServer((_, response) => {
      response.writeHead(200, { 'Content-Length': 5, Connection: 'close' });
      response.flushHeaders();
      response.socket?.end('ok');
    }),
  );
  expect(failureCounts(await load(port, { mode: 'fresh' }))).toEqual({ earlyEnd: 4 });
});

test('an answer that says a length too small is a failure', async () => {
  const port = await listenRaw((socket) => {
    socket.write(answerOk.replace('Length: 2', 'Length: 1'));
  });
  expect(failureCounts(await load(port, {}))).toEqual({ wrong: 4 });
});

test('a reset is a failure, with an answer begun or not', async () => {
  const port = await listenRaw((socket) => socket.resetAndDestroy());
  expect(failureCounts(await load(port, {}))).toEqual({ reset: 4 });
  const half = await listenRaw((socket) => {
    socket.write(answerOk.slice(0, -1), () => socket.resetAndDestroy());
  });
  // Linux tells a reader that comes late of an end, not of the reset behind the bytes.
  const { reset, earlyEnd, answered } = await load(half, {});
  expect({ failures: reset + earlyEnd, answered }).toEqual({ failures: 4, answered: 0 });
});

test('a reset of an idle connection is a failure', async () => {
  const port = await listenRaw((socket) => {
    socket.write(answerOk, () => setTimeout(() => socket.resetAndDestroy(), 20));
  });
  const tally = await load(port, { paceMs: 200, maxRequests: 2 });
  expect(failureCounts(tally)).toEqual({ reset: 2 });
  expect(tally.answered).toBe(2);
});

test('bytes that nobody asked for are a failure', async () => {
  const port = await listenRaw((socket) => {
    socket.write(answerOk, () => setImmediate(() => socket.write(answerOk)));
  });
  const tally = await load(port, { paceMs: 100, maxRequests: 2 });
  expect(failureCounts(tally)).toEqual({ wrong: 2 });
});

test('a wrong status is a failure', async () => {
  const port = await listen(
    http.createServer((_, response) => {
      response.statusCode = 503;
      response.end();
    }),
  );
  const tally = await load(port, {});
  expect(failureCounts(tally)).toEqual({ wrong: 4 });
  expect(tally.answered).toBe(0);
});

test('a port that nobody listens on refuses, again and again, up to a limit', async () => {
  const server = net.createServer();
  const port = await listen(server);
  servers.pop();
  await new Promise((closed) => server.close(closed));
  const client = startLoad({ port, mode: 'fresh', clients: 8 });
  const tally = await client.ended;
  expect(Object.keys(failureCounts(tally))).toEqual(['refused']);
  expect(failuresOf(tally)).toBeGreaterThanOrEqual(1_000);
  expect(tally.examples).toHaveLength(5);
});

test('an answer that does not come is a failure at the timeout', async () => {
  const port = await listenRaw(() => undefined);
  expect(failureCounts(await load(port, { timeoutMs: 50, maxRequests: 2 }))).toEqual({ timedOut: 2 });
});

test('a load can be followed and stopped', async () => {
  const port = await listen(http.createServer((_, response) => response.end('ok')));
  const client = startLoad({ port, mode: 'keepAlive', paceMs: 1 });
  await client.moreAnswers(10);
  expect(client.tally.answered).toBeGreaterThanOrEqual(10);
  const { answered } = await client.stop();
  expect(answered).toBe(client.tally.answered);
  expect(failureCounts(client.tally)).toEqual({});
});

test('a load ends by itself at its bounds', async () => {
  const port = await listen(http.createServer((_, response) => response.end('ok')));
  const tally = await load(port, { maxRequests: Infinity, maxMs: 50 });
  expect(failureCounts(tally)).toEqual({});
  expect(tally.answered).toBeGreaterThan(0);
});
