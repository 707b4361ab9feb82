import { expect, test } from 'vitest';
import { createWorkerLimits } from '../../../../src/master/program/worker-limits.ts';
import type { ReplacementCause } from '../../../../src/shared/events.ts';
import { serving } from '../../../helpers/lifecycle.ts';

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

function world(limits: { maxMemoryBytes?: number; maxLifetimeMs?: number }, workers = 1) {
  const it = serving(workers);
  const timers = new Set<Timer>();
  const reached: [number, ReplacementCause][] = [];
  const state = { now: 1_000, bytes: 0, plan: limits };
  const made = createWorkerLimits({
    platform: {
      clock: { monotonicMs: () => state.now, wallMs: () => 0 },
      arm: (delayMs, fire) => {
        const timer = { at: state.now + delayMs, fire };
        timers.add(timer);
        return () => timers.delete(timer);
      },
      residentBytes: (pids) => pids.map(() => state.bytes),
    },
    state: () => it.program,
    planOf: () => ({
      maxMemoryBytes: null,
      maxLifetimeMs: null,
      maxRequests: null,
      watchdogMs: null,
      intervalMs: 0,
      ...state.plan,
    }),
    reached: (id, cause) => reached.push([id, cause]),
    chance: () => 0.5,
  });
  const advance = (): void => {
    const [next] = [...timers].sort((one, other) => one.at - other.at);
    if (next === undefined) return;
    timers.delete(next);
    state.now = next.at;
    next.fire();
  };
  return { it, made, timers, reached, state, advance };
}

test('a worker is too old after its lifetime, less up to a tenth, counted from when it became ready', () => {
  const { made, timers, reached, advance } = world({ maxLifetimeMs: 100_000 });
  made.look();
  made.look();
  expect([...timers].map(({ at }) => at)).toEqual([95_100]);
  advance();
  expect(reached).toEqual([[1, { reason: 'maxLifetime', figure: 95_000, bound: 100_000 }]]);
});

test('a lifetime that has changed counts for the workers that serve, and one that is taken away ends the timer', () => {
  const { made, timers, state } = world({ maxLifetimeMs: 100_000 });
  made.look();
  state.plan = { maxLifetimeMs: 10_000 };
  made.look();
  expect([...timers].map(({ at }) => at)).toEqual([9_600]);
  state.plan = {};
  made.look();
  expect(timers.size).toBe(0);
});

test('two samples in a row above the bound are too much, and one is not', () => {
  const { made, reached, state, advance } = world({ maxMemoryBytes: 1_000 }, 2);
  made.look();
  for (const bytes of [2_000, 500, 2_000]) {
    state.bytes = bytes;
    advance();
  }
  expect(reached).toEqual([]);
  advance();
  expect(reached).toEqual([1, 2].map((id) => [id, { reason: 'maxMemory', figure: 2_000, bound: 1_000 }]));
});

test('no timer is left when no worker serves, or no limit is given', () => {
  const { it, made, timers } = world({ maxMemoryBytes: 1_000, maxLifetimeMs: 100_000 });
  made.look();
  expect(timers.size).toBe(2);
  it.send({ type: 'stopRequested', at: 2_000, cause: 'signal' });
  made.look();
  expect(timers.size).toBe(0);
});
