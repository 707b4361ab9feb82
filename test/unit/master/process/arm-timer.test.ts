import { setImmediate as turn } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { system } from '../../../../src/master/process/system.ts';

/** Nothing is read meanwhile, as in a process that is stopped or starved. */
function starve(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('what had arrived when a timer was due is read before it fires, and may still cancel it', async () => {
  const { port1, port2 } = new MessageChannel();
  const happened: string[] = [];
  const cancel = system.arm(5, () => happened.push('timer'));
  port1.on('message', () => {
    happened.push('message');
    cancel();
  });
  // The port is ready to be read from the next turn on.
  await turn();
  port2.postMessage('arrived');
  starve(20);
  while (happened.length === 0) await turn();
  for (let turns = 0; turns < 3; turns++) await turn();
  expect(happened).toEqual(['message']);
  port1.close();
});
