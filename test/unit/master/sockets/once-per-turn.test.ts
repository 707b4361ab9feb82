import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { oncePerTurn } from '../../../../src/master/sockets/once-per-turn.ts';

test('all that ask in one turn of the event loop, and in the promises that follow, get one result', async () => {
  let reads = 0;
  const read = oncePerTurn(() => (reads += 1));
  const first = read();
  await Promise.resolve();
  expect([first, read(), read()]).toEqual([1, 1, 1]);
});

test('the next turn reads anew', async () => {
  let reads = 0;
  const read = oncePerTurn(() => (reads += 1));
  read();
  await turn();
  expect(read()).toBe(2);
});

test('a read that fails is repeated', () => {
  let reads = 0;
  const read = oncePerTurn(() => {
    reads += 1;
    if (reads === 1) throw new Error('not yet');
    return reads;
  });
  expect(read).toThrow('not yet');
  expect(read()).toBe(2);
});
