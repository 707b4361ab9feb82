import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { InMemorySocket } from '../../../../src/worker/health/in-memory-socket.ts';
import { isInjected } from '../../../../src/worker/injected.ts';

test('what is written to one end is read from the other, to its end', async () => {
  const { client, server } = InMemorySocket.pair(80, false);
  const ends = [client, server].map((end) => once(end, 'close'));
  client.end('question');
  expect(String(await once(server, 'data'))).toBe('question');
  server.end('answer');
  expect(await text(client)).toBe('answer');
  await Promise.all(ends);
});

test('who writes more than is read, waits', async () => {
  const { client, server } = InMemorySocket.pair(80, false);
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
  const { client, server } = InMemorySocket.pair(80, false);
  const written = new Promise((resolve) => client.write('x'.repeat(100_000), resolve));
  await turn();
  server.destroy();
  await written;
  client.resume();
  await once(client, 'end');
});

test('what a reader throws does not come out of the write', async () => {
  const { client, server } = InMemorySocket.pair(80, false);
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
  const { server } = InMemorySocket.pair(80, true);
  expect(server).toMatchObject({ remoteAddress: '127.0.0.1', localPort: 80, encrypted: true });
  expect(server.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: 80 });
  expect(isInjected(server)).toBe(true);
});
