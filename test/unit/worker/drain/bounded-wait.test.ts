import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDeadline, endsWithin } from '../../../../src/worker/drain/bounded-wait.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new Promise<void>(() => undefined);

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

test('work that ends before the deadline meets it, and later work does not', async () => {
  const deadline = createDeadline();
  deadline.setIn(1_000);
  const results = Promise.all([deadline.isMetBy(after(999)), deadline.isMetBy(after(1_001))]);
  await vi.advanceTimersByTimeAsync(1_001);
  expect(await results).toEqual([true, false]);
});

test('a deadline that is reached early ends what waits, now and later', async () => {
  const deadline = createDeadline();
  deadline.setIn(60_000);
  const [isMet, pause] = [deadline.isMetBy(never), deadline.pause(50)];
  deadline.reach();
  expect(await isMet).toBe(false);
  await pause;
  await deadline.pause(50);
  deadline.setIn(60_000);
  expect(await deadline.isMetBy(never)).toBe(false);
});

test('a pause before the deadline takes its time', async () => {
  let isOver = false;
  const pause = createDeadline()
    .pause(50)
    .then(() => {
      isOver = true;
    });
  await vi.advanceTimersByTimeAsync(49);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await pause;
});

test('work that ends in time leaves no timer that would keep the process alive', async () => {
  expect(await endsWithin(1_000, Promise.resolve())).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
