import { expect, test } from 'vitest';
import { bounds, createCounts, type ProgramCounts } from '../../../../src/master/metrics/event-counts.ts';
import type { Failure, MasterEvent } from '../../../../src/shared/events.ts';

const failure: Failure = {
  reason: 'exited',
  message: 'it exited',
  hint: null,
  errorCode: null,
  outcome: null,
  stderrTail: [],
};
const release = null;
const ready = (generation: number, probationMs = 0): MasterEvent => ({
  event: 'generationReady',
  generation,
  durationMs: 400,
  release,
  probationMs,
});
const failed = (generation: number): MasterEvent => ({
  event: 'generationFailed',
  generation,
  serving: null,
  durationMs: 400,
  release,
  failure,
});
const settled: MasterEvent = { event: 'generationSettled', generation: 2, durationMs: 2_000, isEarly: false };
const rolledBack: MasterEvent = {
  event: 'generationRolledBack',
  generation: 2,
  to: 1,
  remaining: 0,
  durationMs: 10,
  release,
  failure,
};
const stopped: MasterEvent = { event: 'stopped', failure: null, outcome: null };

function after(...events: readonly MasterEvent[]): ProgramCounts {
  const counts = createCounts();
  for (const event of events) counts.observe({ ...event, program: 'shop', time: 0 });
  const found = counts.all().get('shop');
  if (found === undefined) throw new Error('nothing was counted');
  return found;
}

test.each<[string, readonly MasterEvent[], ProgramCounts['starts'], ProgramCounts['reloads']]>([
  ['a start', [ready(1)], { succeeded: 1, failed: 0 }, none()],
  ['a start that fails', [failed(1)], { succeeded: 0, failed: 1 }, none()],
  ['a reload', [ready(1), ready(2)], { succeeded: 1, failed: 0 }, none({ succeeded: 1 })],
  ['a reload on probation', [ready(1), ready(2, 2_000)], { succeeded: 1, failed: 0 }, none()],
  [
    'one that passes it',
    [ready(1), ready(2, 2_000), settled],
    { succeeded: 1, failed: 0 },
    none({ succeeded: 1 }),
  ],
  [
    'one that does not',
    [ready(1), ready(2, 2_000), rolledBack],
    { succeeded: 1, failed: 0 },
    none({ rolled_back: 1 }),
  ],
  ['a reload that fails', [ready(1), failed(2)], { succeeded: 1, failed: 0 }, none({ failed: 1 })],
  ['a second start', [ready(1), stopped, ready(2)], { succeeded: 2, failed: 0 }, none()],
])('%s is counted once, by its result', (_, events, starts, reloads) => {
  expect(after(...events)).toMatchObject({ starts, reloads });
});

function none(some: Partial<ProgramCounts['reloads']> = {}): ProgramCounts['reloads'] {
  return { succeeded: 0, failed: 0, rolled_back: 0, ...some };
}

test('the duration of a reload is in every bucket that is large enough', () => {
  const { upTo, sumSeconds } = after(ready(1), ready(2)).reloadTimes;
  expect(sumSeconds).toBe(0.4);
  expect(upTo).toEqual([...bounds, Infinity].map((bound) => (bound >= 0.4 ? 1 : 0)));
});

test('a drain lasts over all states of the worker until it exits', () => {
  const worker = { generation: 1, slot: 0, pid: 42 };
  const { drainTimes, kills, migrated, drained, cut } = after(
    {
      event: 'workerDraining',
      reason: 'reload',
      from: 'ready',
      to: 'draining',
      durationMs: 99_000,
      ...worker,
    },
    {
      event: 'workerTerminated',
      signal: 'SIGTERM',
      from: 'draining',
      to: 'terminating',
      durationMs: 3_000,
      ...worker,
    },
    {
      event: 'workerKilled',
      reason: 'drainTimeout',
      from: 'terminating',
      to: 'killing',
      durationMs: 2_000,
      ...worker,
    },
    {
      event: 'workerExited',
      from: 'killing',
      to: 'exited',
      durationMs: 500,
      outcome: { code: null, signal: 'SIGKILL' },
      served: 7,
      migrated: 3,
      drained: 2,
      cut: 1,
      cleanUpsCut: 0,
      failure: null,
      ...worker,
    },
  );
  expect([drainTimes.sumSeconds, kills, migrated, drained, cut]).toEqual([5.5, 1, 3, 2, 1]);
});

test('a program that is removed from the plan is forgotten', () => {
  const counts = createCounts();
  counts.observe({ ...ready(1), program: 'old', time: 0 });
  counts.observe({
    event: 'planChanged',
    file: null,
    added: [],
    removed: ['old'],
    changed: [],
    program: 'master',
    time: 0,
  });
  expect([...counts.all().keys()]).toEqual([]);
  // It is stopped only now.
  counts.observe({ event: 'stopped', failure: null, outcome: null, program: 'old', time: 1 });
  expect([...counts.all().keys()]).toEqual([]);
  counts.observe({ ...ready(1), program: 'old', time: 2 });
  expect([...counts.all().keys()]).toEqual(['old']);
});
