import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createCollector } from '../../../../src/master/cli/collect-garbage.ts';
import type { EventRecord } from '../../../../src/shared/events.ts';

const change = { generation: 1, slot: 0, pid: 7, durationMs: 1, program: 'web', time: 1 };
const exited: EventRecord = {
  ...change,
  event: 'workerExited',
  from: 'draining',
  to: 'exited',
  outcome: { code: 0, signal: null },
  served: 1,
  migrated: 0,
  drained: 0,
  cut: 0,
  cleanUpsCut: 0,
  failure: null,
};
const started: EventRecord = { ...change, event: 'workerStarted', from: null, to: 'starting' };

const ready: EventRecord = { ...change, event: 'workerReady', from: 'starting', to: 'ready' };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('collects a second after workers were ready or have ended, once for all that do so together: what the start has left, then of each ten', () => {
  const collect = vi.fn();
  const observe = createCollector(collect);
  const garbageOf = (...events: readonly EventRecord[]): readonly unknown[] => {
    collect.mockClear();
    for (const event of events) observe(event);
    vi.advanceTimersByTime(999);
    expect(collect).not.toHaveBeenCalled();
    vi.advanceTimersByTime(5_000);
    return collect.mock.calls.flat();
  };
  const many = (event: EventRecord, count: number): readonly EventRecord[] =>
    Array.from({ length: count }, () => event);
  expect(garbageOf(...many(started, 20))).toEqual([]);
  expect(garbageOf(started, ready)).toEqual(['ofTheStart']);
  expect(garbageOf(...many(exited, 4), ...many(ready, 5), ...many(started, 20))).toEqual(['little']);
  expect(garbageOf(ready)).toEqual(['much']);
  expect(garbageOf(ready)).toEqual(['little']);
  expect(garbageOf(...many(exited, 64))).toEqual(['much']);
});

it('by itself it can do so in this Node.js', () => {
  const observe = createCollector();
  for (let count = 0; count < 10; count += 1) observe(exited);
  expect(() => vi.advanceTimersByTime(1_000)).not.toThrow();
});
