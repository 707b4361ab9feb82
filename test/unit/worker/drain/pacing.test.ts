import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { forEachPaced } from '../../../../src/worker/drain/pacing.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('acts on the first at once and on the others evenly', () => {
  const acted: string[] = [];
  forEachPaced(['one', 'two', 'three', 'four'], 1_000, (item) => acted.push(item));
  const after: number[] = [];
  for (const ms of [0, 249, 1, 250, 250, 250]) {
    vi.advanceTimersByTime(ms);
    after.push(acted.length);
  }
  expect(after).toEqual([1, 1, 2, 3, 4, 4]);
  expect(acted).toEqual(['one', 'two', 'three', 'four']);
});

it('does nothing for none', () => {
  forEachPaced([], 1_000, () => {
    throw new Error('for whom?');
  });
  vi.runAllTimers();
});
