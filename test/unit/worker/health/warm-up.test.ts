import { expect, test, vi } from 'vitest';
import { warmUp, warmUpBoundMs } from '../../../../src/worker/health/warm-up.ts';

test('asks one after the other, so often as it is told, whatever comes of it', async () => {
  let open = 0;
  const ask = vi.fn(async () => {
    open += 1;
    expect(open).toBe(1);
    await Promise.resolve();
    open -= 1;
    if (ask.mock.calls.length % 2 === 0) throw new Error('hung up');
  });
  await warmUp(5, ask, () => false);
  expect(ask).toHaveBeenCalledTimes(5);
});

test('ends when it is over', async () => {
  const ask = vi.fn(() => Promise.resolve());
  await warmUp(5, ask, () => ask.mock.calls.length === 2);
  expect(ask).toHaveBeenCalledTimes(2);
});

test.each([
  ['never long', 30_000, 100, 5_000],
  ['half of what the master still waits', 4_000, 1_000, 1_500],
  ['no time at all when the master waits no more', 1_000, 1_200, 0],
])('takes %s', (_, readyTimeoutMs, uptimeMs, boundMs) => {
  expect(warmUpBoundMs(readyTimeoutMs, uptimeMs)).toBe(boundMs);
});
