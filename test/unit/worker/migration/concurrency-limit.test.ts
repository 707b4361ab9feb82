import { expect, test } from 'vitest';
import { createTurns } from '../../../../src/worker/migration/concurrency-limit.ts';

test('so many have their turn at a time, the others when it is over, in order', async () => {
  const turns = createTurns(2);
  const order: number[] = [];
  const takes = [1, 2, 3, 4].map(async (who) => {
    const over = await turns.take();
    order.push(who);
    return over;
  });
  const [first, second] = await Promise.all(takes.slice(0, 2));
  expect(order).toEqual([1, 2]);
  second?.();
  (await takes[2])?.();
  await takes[3];
  expect(order).toEqual([1, 2, 3, 4]);
  first?.();
});
