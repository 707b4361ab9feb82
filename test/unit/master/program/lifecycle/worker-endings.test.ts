import { expect, test } from 'vitest';
import { drainCrash } from '../../../../../src/master/program/lifecycle/worker-endings.ts';
import { silentEnd } from '../../../../../src/master/program/lifecycle/inputs.ts';
import type { Outcome } from '../../../../../src/shared/events.ts';
import type { LifecycleSettings } from '../../../../../src/master/program/lifecycle/state.ts';
import { failure } from '../../../../helpers/fake-master.ts';
import { drive, type Drive } from '../../../../helpers/lifecycle.ts';

const end = (outcome: Outcome) => ({ ...silentEnd({ ...failure, outcome }), outcome });

test.each<[string, Outcome, boolean]>([
  ['exit code 0', { code: 0, signal: null }, false],
  ['exit code 1', { code: 1, signal: null }, true],
  ["a shell's code for SIGTERM", { code: 143, signal: null }, false],
  ['the signal that asked', { code: null, signal: 'SIGTERM' }, false],
  ['a signal of the kernel', { code: null, signal: 'SIGSEGV' }, true],
])('a draining worker that ends with %s', (_what, outcome, isCrash) => {
  expect(drainCrash('draining', end(outcome)) !== null).toBe(isCrash);
  // It was asked to end at once.
  expect(drainCrash('terminating', end(outcome))).toBe(null);
});

test('its failure has what it wrote last', () => {
  const crash = drainCrash('draining', end({ code: 1, signal: null }));
  expect(crash).toMatchObject({ stderrTail: failure.stderrTail, outcome: { code: 1 } });
});

const steps = [
  { signal: 'SIGINT', waitMs: 500 },
  { signal: 'SIGQUIT', waitMs: 700 },
] as const;

function serving(stopSteps: LifecycleSettings['stopSteps']): Drive {
  const it = drive(1, { stopSteps });
  it.send({ type: 'startRequested', at: 0 });
  it.send({ type: 'workerSpawned', at: 0, worker: 1, pid: 101, isGated: true });
  it.ready(1, 1);
  return it;
}

const ended = { type: 'workerEnded', worker: 1, end: end({ code: 0, signal: null }) } as const;

test('a stop goes through its steps, one at each timer, and kills after the last', () => {
  const it = serving(steps);
  expect(it.send({ type: 'stopRequested', at: 1_000, cause: 'signal' })).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ type: 'drainWorker', signal: 'SIGINT', timeoutMs: 500 }),
      { type: 'armTimer', key: { timer: 'drain', worker: 1 }, delayMs: 500 },
    ]),
  );
  expect(it.send({ type: 'drainTimedOut', at: 1_500, worker: 1 })).toEqual(
    expect.arrayContaining([
      { type: 'signalGroup', worker: 1, signal: 'SIGQUIT' },
      { type: 'armTimer', key: { timer: 'kill', worker: 1 }, delayMs: 700 },
    ]),
  );
  expect(it.send({ type: 'killTimedOut', at: 2_200, worker: 1 })).toContainEqual({
    type: 'signalGroup',
    worker: 1,
    signal: 'SIGKILL',
  });
  it.send({ ...ended, at: 2_201 });
  expect(it.program.phase).toBe('stopped');
});

test('a stop without a step kills at once', () => {
  const it = serving([]);
  const effects = it.send({ type: 'stopRequested', at: 1_000, cause: 'signal' });
  expect(effects).toContainEqual({ type: 'signalGroup', worker: 1, signal: 'SIGKILL' });
  expect(effects.filter(({ type }) => type === 'armTimer')).toEqual([]);
});

test('a reload does not take the steps of a stop', () => {
  const it = serving(steps);
  it.send({ type: 'reloadRequested', at: 10, cause: 'signal' });
  it.send({ type: 'workerSpawned', at: 11, worker: 2, pid: 102, isGated: true });
  expect(it.ready(12, 2)).toContainEqual(
    expect.objectContaining({ type: 'drainWorker', worker: 1, signal: null, timeoutMs: 30_000 }),
  );
});
