import { expect, test } from 'vitest';
import { emptyHistory, remember } from '../../../../../src/master/program/history/history.ts';
import {
  createReloadWaiters,
  type ReloadWaiters,
} from '../../../../../src/master/program/history/reload-waiters.ts';
import type { ReloadResult } from '../../../../../src/shared/control-api.ts';
import { failure } from '../../../../helpers/lifecycle.ts';
import type { MasterEvent } from '../../../../../src/shared/events.ts';

const worker = { generation: 1, slot: 0, pid: 77, from: 'ready', to: 'draining', durationMs: 0 } as const;
const exited: MasterEvent = {
  ...worker,
  event: 'workerExited',
  from: 'draining',
  to: 'exited',
  outcome: { code: 0, signal: null },
  served: 0,
  migrated: 0,
  drained: 0,
  cut: 0,
  cleanUpsCut: 0,
  failure: null,
};
const ready: MasterEvent = {
  event: 'generationReady',
  generation: 2,
  durationMs: 5,
  probationMs: 0,
  release: null,
};

let momentOver: () => void = () => undefined;

interface Waits {
  readonly seen: string[];
  observe(event: MasterEvent, wallMs: number): void;
  wait: ReloadWaiters['wait'];
  last(): ReloadResult | null;
}

/** Generation 1 serves with worker 77, and generation 2 is waited for. */
function start(): Waits {
  const seen: string[] = [];
  const waiters = createReloadWaiters((_delayMs, fire) => {
    momentOver = fire;
    return () => undefined;
  });
  let history = emptyHistory;
  const observe = (event: MasterEvent, wallMs: number): void => {
    history = remember(history, event, wallMs);
    waiters.observe(event, history);
  };
  observe({ ...worker, event: 'workerStarted', from: null, to: 'starting' }, 0);
  waiters.wait(2, 'serving').then(
    ({ ok }) => seen.push(`ok ${ok}`),
    () => seen.push('rejected'),
  );
  return { seen, observe, wait: waiters.wait, last: () => history.lastReload };
}

const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a reload is answered when the old workers accept no more', async () => {
  const results = start();
  const { seen } = results;
  results.observe(ready, 0);
  results.observe({ event: 'workerDraining', reason: 'reload', ...worker }, 0);
  await settled();
  expect(seen).toEqual([]);
  results.observe({ event: 'workerAcceptsNoMore', generation: 1, slot: 0, pid: 77 }, 0);
  await settled();
  expect(seen).toEqual(['ok true']);
});

test('an old worker that says nothing is waited for until it has ended: it may be stuck, and accept once more', async () => {
  const results = start();
  const { seen } = results;
  results.observe(ready, 0);
  results.observe({ event: 'workerDraining', reason: 'reload', ...worker }, 0);
  await settled();
  expect(seen).toEqual([]);
  results.observe(exited, 0);
  await settled();
  expect(seen).toEqual(['ok true']);
});

test('an old worker that has confirmed before it was told to drain is not waited for', async () => {
  const results = start();
  const { seen } = results;
  results.observe({ event: 'workerAcceptsNoMore', generation: 1, slot: 0, pid: 77 }, 0);
  results.observe(ready, 0);
  results.observe({ event: 'workerDraining', reason: 'reload', ...worker }, 0);
  await settled();
  expect(seen).toEqual(['ok true']);
});

test('on probation the verdict is waited for, and the moment in which it serves is not', async () => {
  const results = start();
  const { seen } = results;
  const verdicts: unknown[] = [];
  void results.wait(2, 'settled').then((result) => verdicts.push(result));
  results.observe({ ...ready, probationMs: 2_000 }, 0);
  await settled();
  expect(seen).toEqual([]);
  momentOver();
  await settled();
  expect([seen, verdicts]).toEqual([['ok true'], []]);
  results.observe(
    {
      event: 'generationRolledBack',
      generation: 2,
      to: 1,
      remaining: 0,
      durationMs: 80,
      release: null,
      failure,
    },
    9,
  );
  await settled();
  expect(verdicts).toEqual([
    {
      generation: 2,
      ok: false,
      endedAt: 9,
      durationMs: 80,
      failure,
      release: null,
      probationMs: 0,
      serving: 1,
      rolledBackTo: 1,
      remaining: 0,
    },
  ]);
  expect(results.last()).toEqual(verdicts[0]);
});

test('a generation that is rolled back in its first moment on probation is not said to serve', async () => {
  const results = start();
  const { seen } = results;
  results.observe({ ...ready, probationMs: 2_000 }, 0);
  await settled();
  const back = {
    event: 'generationRolledBack',
    generation: 2,
    to: 1,
    remaining: 0,
    durationMs: 80,
    release: null,
  } as const;
  results.observe({ ...back, failure }, 9);
  momentOver();
  await settled();
  expect(seen).toEqual(['ok false']);
});

test('a failure is answered at once, and a stop rejects', async () => {
  const failed = start();
  failed.observe(
    { event: 'generationFailed', generation: 2, serving: 1, durationMs: 5, release: null, failure },
    0,
  );
  const stopped = start();
  stopped.observe({ event: 'stopRequested', cause: 'signal', urgent: false }, 0);
  await settled();
  expect(failed.seen).toEqual(['ok false']);
  expect(stopped.seen).toEqual(['rejected']);
});

test('a worker that answers that it has paused when it accepts again already is waited for at the next reload', async () => {
  const results = start();
  const { seen } = results;
  const old = { generation: 1, slot: 0, pid: 77 };
  // Of a reload before, which was rolled back.
  results.observe({ event: 'workerPaused', ...old }, 0);
  results.observe({ event: 'workerResumed', ...old }, 0);
  results.observe({ event: 'workerAcceptsNoMore', ...old }, 0);
  results.observe(ready, 0);
  results.observe({ event: 'workerPaused', ...old }, 0);
  await settled();
  expect(seen).toEqual([]);
  results.observe({ event: 'workerAcceptsNoMore', ...old }, 0);
  await settled();
  expect(seen).toEqual(['ok true']);
});

test('a reload is drained when the last worker of every earlier generation has ended', async () => {
  const results = start();
  const drained: unknown[] = [];
  void results.wait(2, 'drained').then(({ ok }) => drained.push(ok));
  const own = { ...worker, generation: 2, pid: 78 };
  results.observe({ ...own, event: 'workerStarted', from: null, to: 'starting' }, 0);
  results.observe(ready, 0);
  results.observe({ event: 'workerDraining', reason: 'reload', ...worker }, 0);
  results.observe({ event: 'workerAcceptsNoMore', generation: 1, slot: 0, pid: 77 }, 0);
  await settled();
  expect(drained).toEqual([]);
  // The end of a worker of its own changes nothing.
  results.observe({ ...exited, ...own, from: 'ready', to: 'exited' }, 0);
  await settled();
  expect(drained).toEqual([]);
  results.observe(exited, 0);
  await settled();
  expect(drained).toEqual([true]);
});

test('a reload that failed is drained at once', async () => {
  const results = start();
  const drained: unknown[] = [];
  void results.wait(2, 'drained').then(({ ok }) => drained.push(ok));
  results.observe(
    { event: 'generationFailed', generation: 2, serving: 1, durationMs: 5, release: null, failure },
    0,
  );
  await settled();
  expect(drained).toEqual([false]);
});
