import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { guardChannel } from '../../../../src/master/process/channel-guard.ts';
import { socketPair } from '../../../../src/master/sockets/socket-pair.ts';
import { listen } from '../../../../src/master/system-calls/socket-calls.ts';

test('the channel closes with the process at its other end, though a handle that it was sent is not answered', async () => {
  // Loads what reads the channel.
  await listen(-1, 0);
  const child = spawn('sleep', ['300'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  child.on('error', () => undefined);
  const channel = guardChannel(child, { message: () => undefined, garbage: () => undefined });
  onTestFinished(() => {
    child.kill('SIGKILL');
    channel.close();
  });
  const pair = socketPair();
  if (typeof pair === 'string') throw new Error(pair);
  const [ours, theirs] = pair;
  ours.close();
  child.send({}, theirs as never);
  const disconnected = once(child, 'disconnect');
  child.kill('SIGKILL');
  await disconnected;
  expect(child.connected).toBe(false);
});
