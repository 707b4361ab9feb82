import { expect, test } from 'vitest';
import type { TimerKey } from '../../../../src/master/program/lifecycle/inputs.ts';
import { createTimers } from '../../../../src/master/program/timers.ts';

interface Armed {
  readonly delayMs: number;
  readonly callback: () => void;
  isCancelled: boolean;
}

const debounce: TimerKey = { timer: 'debounce' };

function setUp() {
  const armed: Armed[] = [];
  const fired: TimerKey[] = [];
  const timers = createTimers({
    clock: { monotonicMs: () => 1_000, wallMs: () => 0 },
    arm: (delayMs, callback) => {
      const one = { delayMs, callback, isCancelled: false };
      armed.push(one);
      return () => {
        one.isCancelled = true;
      };
    },
  });
  const arm = (key: TimerKey, delayMs: number): void => {
    timers.arm(key, delayMs, (which) => fired.push(which));
  };
  /** The time of the latest timer comes. */
  const elapse = (): void => {
    const latest = armed.at(-1);
    if (latest !== undefined && !latest.isCancelled) latest.callback();
  };
  return { armed, fired, timers, arm, elapse };
}

test('a timer fires once, unless it was disarmed', () => {
  const { fired, timers, arm, elapse } = setUp();
  arm(debounce, 250);
  elapse();
  expect(fired).toEqual([debounce]);
  arm(debounce, 250);
  timers.disarm(debounce);
  elapse();
  expect(fired).toEqual([debounce]);
});

test('a timer of another key is another timer; all of them can be disarmed', () => {
  const { armed, timers, arm } = setUp();
  arm({ timer: 'ready', worker: 1 }, 10);
  arm({ timer: 'ready', worker: 2 }, 20);
  arm({ timer: 'ready', worker: 1 }, 30);
  expect(armed.map(({ isCancelled }) => isCancelled)).toEqual([true, false, false]);
  timers.disarmAll();
  expect(armed.every(({ isCancelled }) => isCancelled)).toBe(true);
});

test('a timer that is armed is known with the moment it is due, until it fires', () => {
  const { timers, arm, elapse } = setUp();
  arm(debounce, 250);
  expect(timers.armed()).toEqual([{ key: debounce, dueAt: 1_250 }]);
  elapse();
  expect(timers.armed()).toEqual([]);
});
