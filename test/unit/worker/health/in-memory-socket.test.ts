import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import net from 'node:net';
import tls from 'node:tls';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { inMemoryPair } from '../../../../src/worker/health/in-memory-socket.ts';
import { inMemoryTlsPair } from '../../../../src/worker/health/in-memory-tls-socket.ts';
import { isInjected } from '../../../../src/worker/tracking/in-memory-mark.ts';

test('what is written to one end is read from the other, to its end', async () => {
  const { client, server } = inMemoryPair(80);
  const ends = [client, server].map((end) => once(end, 'close'));
  client.end('question');
  expect(String(await once(server, 'data'))).toBe('question');
  server.end('answer');
  expect(await text(client)).toBe('answer');
  await Promise.all(ends);
});

test('who writes more than is read, waits', async () => {
  const { client, server } = inMemoryPair(80);
  const much = 'x'.repeat(10 * client.writableHighWaterMark);
  let isWritten = false;
  client.end(much, () => {
    isWritten = true;
  });
  for (let turns = 0; turns < 5; turns += 1) await turn();
  expect(isWritten).toBe(false);
  expect((await text(server)).length).toBe(much.length);
  expect(isWritten).toBe(true);
});

test('an end that is destroyed ends the other one, also in the middle of a write', async () => {
  const { client, server } = inMemoryPair(80);
  const written = new Promise((resolve) => client.write('x'.repeat(100_000), resolve));
  await turn();
  server.destroy();
  await written;
  client.resume();
  await once(client, 'end');
});

test('what a reader throws does not come out of the write', async () => {
  const { client, server } = inMemoryPair(80);
  let isWriting = true;
  const wasWriting = new Promise((resolve) =>
    server.once('data', () => {
      resolve(isWriting);
    }),
  );
  client.write('x');
  isWriting = false;
  expect(await wasWriting).toBe(false);
});

test('is a client on the loopback for whoever asks, and marked as ours', () => {
  const { server } = inMemoryTlsPair(80);
  expect(server).toMatchObject({ remoteAddress: '127.0.0.1', localPort: 80, encrypted: true });
  expect(server.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: 80 });
  expect(isInjected(server)).toBe(true);
});

/** The names that are for everybody, of a class alone. */
function publicNames(prototype: object): readonly string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => !name.startsWith('_'));
}

test('has whatever a TCP socket has, and is one', () => {
  const { server } = inMemoryPair(80);
  expect(server).toBeInstanceOf(net.Socket);
  for (const name of publicNames(net.Socket.prototype)) expect(name in server, name).toBe(true);
  expect(server).toMatchObject({ readyState: 'open', bytesRead: 0, connecting: false, pending: false });
  expect('encrypted' in server).toBe(false);
  expect(server.setTimeout(5).setNoDelay().setKeepAlive().ref().unref()).toBe(server);
});

test('over TLS it has whatever a TLS socket has, and answers for a client without a certificate', () => {
  const server = inMemoryTlsPair(80).server as unknown as tls.TLSSocket;
  expect(server).toBeInstanceOf(tls.TLSSocket);
  for (const { prototype } of [net.Socket, tls.TLSSocket]) {
    for (const name of publicNames(prototype)) expect(name in server, name).toBe(true);
  }
  expect(server).toMatchObject({ encrypted: true, authorized: false, alpnProtocol: 'http/1.1' });
  expect(server.getProtocol()).toBe('TLSv1.3');
  expect(server.getCipher()).toMatchObject({ name: 'TLS_AES_256_GCM_SHA384', version: 'TLSv1.3' });
  expect(server.getPeerCertificate()).toEqual({});
  expect(server.getPeerX509Certificate()).toBeUndefined();
  expect(server.isSessionReused()).toBe(false);
  expect(server.exportKeyingMaterial(16, 'label', Buffer.alloc(0))).toHaveLength(16);
});

test('over TLS the bytes go both ways as over TCP, and both ends count them', async () => {
  const { client, server } = inMemoryTlsPair(80);
  client.end('question');
  expect(String(await once(server, 'data'))).toBe('question');
  server.cork();
  server.write('ans');
  server.write('wer');
  server.uncork();
  server.end();
  expect(await text(client)).toBe('answer');
  expect([client.bytesWritten, server.bytesRead, server.bytesWritten, client.bytesRead]).toEqual([
    8, 8, 6, 6,
  ]);
});
