import net from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createOpenSockets } from '../../../../src/worker/tracking/open-sockets.ts';

async function destroyed(socket: net.Socket): Promise<net.Socket> {
  const closed = once(socket, 'close');
  socket.destroy();
  await closed;
  return socket;
}

test('those that are open are listed, in the order in which they came', async () => {
  const sockets = createOpenSockets();
  const [first, second, third] = [new net.Socket(), new net.Socket(), new net.Socket()];
  for (const socket of [first, second, third]) sockets.add(socket);
  await destroyed(second);
  expect(sockets.list()).toEqual([first, third]);
  expect(sockets.has(first)).toBe(true);
  expect(sockets.has(new net.Socket())).toBe(false);
});

test('two collections do not know of each other', () => {
  const [ours, theirs] = [createOpenSockets(), createOpenSockets()];
  const socket = new net.Socket();
  theirs.add(socket);
  expect(ours.has(socket)).toBe(false);
});

test('nobody listens to a socket before somebody waits, and those that have ended are let go of', async () => {
  const sockets = createOpenSockets();
  const open = new net.Socket();
  sockets.add(open);
  expect(open.listenerCount('close')).toBe(0);
  for (let count = 0; count < 1_000; count += 1) sockets.add(await destroyed(new net.Socket()));
  // What is kept is not visible from outside: the list is right whatever was swept.
  expect(sockets.list()).toEqual([open]);
});

test('the wait ends at once when none is open', async () => {
  const sockets = createOpenSockets();
  sockets.add(await destroyed(new net.Socket()));
  await sockets.whenNone();
});

test('the wait ends with the last one, be it added after the wait began', async () => {
  const sockets = createOpenSockets();
  const [first, second] = [new net.Socket(), new net.Socket()];
  sockets.add(first);
  let isOver = false;
  const wait = sockets.whenNone().then(() => {
    isOver = true;
  });
  sockets.add(second);
  await destroyed(first);
  expect(isOver).toBe(false);
  await destroyed(second);
  await wait;
});
