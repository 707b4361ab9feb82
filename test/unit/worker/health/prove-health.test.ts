import { expect, test, vi } from 'vitest';
import { askUntilHealthy, warmUp, warmUpBoundMs } from '../../../../src/worker/health/prove-health.ts';

function asking(answers: readonly (string | null)[]) {
  const left = [...answers];
  const log: (string | number)[] = [];
  return {
    log,
    ask: () => Promise.resolve(left.shift() ?? null),
    pause: (ms: number) => {
      log.push(ms);
      return Promise.resolve();
    },
    report: (reason: string) => {
      log.push(reason);
    },
  };
}

test('a good answer is enough', async () => {
  const parts = asking([null]);
  await askUntilHealthy(parts);
  expect(parts.log).toEqual([]);
});

test('reports each reason and asks again after a pause that doubles, up to a second', async () => {
  const parts = asking(['a', 'b', 'c', 'd', 'e', 'f', 'g', null]);
  await askUntilHealthy(parts);
  expect(parts.log).toEqual(['a', 50, 'b', 100, 'c', 200, 'd', 400, 'e', 800, 'f', 1_000, 'g', 1_000]);
});

test('ends when a pause is called off', async () => {
  const parts = { ...asking(['a', null]), pause: () => Promise.reject(new Error('called off')) };
  await expect(askUntilHealthy(parts)).rejects.toThrow('called off');
});

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
