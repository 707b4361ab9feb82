import { describe, expect, test } from 'vitest';
import { backoffMs, countedFailures } from '../../../../../src/master/program/lifecycle/backoff.ts';
import type { BackoffSettings } from '../../../../../src/master/program/lifecycle/state.ts';
import { backoff } from '../../../../helpers/lifecycle.ts';

test.each([
  [0, 0],
  [1, 1_000],
  [2, 2_000],
  [3, 4_000],
  [5, 16_000],
  [6, 30_000],
  [60, 30_000],
  [5_000, 30_000],
])('after %i failures in a row the next start waits %i ms', (failures, expected) => {
  expect(backoffMs(failures, backoff, { generation: 1, slot: 0 })).toBe(expected);
});

describe('with a seed', () => {
  const settings = (jitterSeed: number): BackoffSettings => ({ ...backoff, jitterSeed });
  const keys = Array.from({ length: 10 }, (_, at) => at).flatMap((slot) =>
    [1, 2, 7].map((generation) => ({ generation, slot })),
  );
  const seeds = [0, 1, 2, 0x7fffffff, 0xffffffff, ...Array.from({ length: 40 }, (_, at) => 7_919 * (at + 1))];

  test.each([
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [6, 30_000],
    [5_000, 30_000],
  ])('the pause after %i failures is %i ms, less up to a fifth of it', (failures, wholeMs) => {
    const pauses = seeds.flatMap((seed) => keys.map((key) => backoffMs(failures, settings(seed), key)));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(0.8 * wholeMs);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(wholeMs);
    // All of that range is used.
    expect(Math.min(...pauses)).toBeLessThan(0.82 * wholeMs);
    expect(Math.max(...pauses)).toBeGreaterThan(0.98 * wholeMs);
  });

  test('programs, slots, generations and failures do not wait for the same time, and the same one always does', () => {
    const of = (seed: number, generation: number, slot: number, failures = 6): number =>
      backoffMs(failures, settings(seed), { generation, slot });
    const ten = Array.from({ length: 10 }, (_, at) => at);
    for (const pauses of [
      ten.map((slot) => of(1, 1, slot)),
      ten.map((generation) => of(1, generation, 0)),
      seeds.map((seed) => of(seed, 1, 0)),
      // From the sixth on, the pause without jitter is the same.
      ten.map((more) => of(1, 1, 0, 6 + more)),
    ])
      expect(new Set(pauses).size).toBe(pauses.length);
    expect(of(1, 2, 3)).toBe(of(1, 2, 3));
  });

  test('a linear pause is exact', () => {
    expect(backoffMs(3, { ...settings(1), kind: 'linear' }, { generation: 1, slot: 0 })).toBe(3_000);
  });
});

test.each([
  ['was never ready', null, 100_000, 4],
  ['was ready for 29.999 s', 1_000, 30_999, 4],
  ['was ready for 30 s', 1_000, 31_000, 0],
])('a worker that %s leaves the count as it should be', (_title, readyAt, endedAt, expected) => {
  expect(countedFailures(4, readyAt, endedAt, backoff)).toBe(expected);
});
