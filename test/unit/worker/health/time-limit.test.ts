import { once } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { limitTime } from '../../../../src/worker/health/time-limit.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('ends when the time is over', () => {
  const limit = limitTime(100, new AbortController().signal);
  vi.advanceTimersByTime(99);
  expect(limit.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(limit.signal.aborted).toBe(true);
  expect(limit.isLate()).toBe(true);
});

test('ends when it is called off, now or before', async () => {
  const controller = new AbortController();
  const limit = limitTime(100, controller.signal);
  const aborted = once(limit.signal, 'abort');
  controller.abort();
  await aborted;
  expect(limit.isLate()).toBe(false);
  expect(limitTime(100, controller.signal).signal.aborted).toBe(true);
});

test('never ends once it was lifted', () => {
  const controller = new AbortController();
  const limit = limitTime(100, controller.signal);
  limit.lift();
  controller.abort();
  vi.advanceTimersByTime(1_000);
  expect(limit.signal.aborted).toBe(false);
});
