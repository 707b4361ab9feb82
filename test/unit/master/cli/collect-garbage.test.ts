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

it('garbage is collected a second after the tenth worker was ready or has ended, once for all that do so together', () => {
  const collect = vi.fn();
  const observe = createCollector(collect);
  for (let count = 0; count < 4; count += 1) observe(exited);
  for (let count = 0; count < 5; count += 1) observe(ready);
  for (let count = 0; count < 20; count += 1) observe(started);
  vi.advanceTimersByTime(5_000);
  expect(collect).not.toHaveBeenCalled();
  for (let count = 0; count < 64; count += 1) observe(exited);
  vi.advanceTimersByTime(999);
  expect(collect).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5_000);
  expect(collect).toHaveBeenCalledOnce();
  for (let count = 0; count < 10; count += 1) observe(exited);
  vi.advanceTimersByTime(1_000);
  expect(collect).toHaveBeenCalledTimes(2);
});

it('by itself it can do so in this Node.js', () => {
  const observe = createCollector();
  for (let count = 0; count < 10; count += 1) observe(exited);
  expect(() => vi.advanceTimersByTime(1_000)).not.toThrow();
});
