// Workers that serve and are to be replaced all the same: start before stop, one at a time, and not too often.
import { describe, expect, test } from 'vitest';
import type { ReplacementCause } from '../../../../../src/shared/events.ts';
import { isAccepting } from '../../../../../src/master/program/lifecycle/state.ts';
import { crash, kinds, serving, type Drive } from '../../../../helpers/lifecycle.ts';

const cause: ReplacementCause = { reason: 'maxMemory', figure: 2_000, bound: 1_000 };
const left = { ...crash, outcome: { code: 0, signal: null } };
/** Long after the workers became ready. */
const late = 100_000;

function want(it: Drive, at: number, id: number): readonly string[] {
  return kinds(it.send({ type: 'replacementWanted', at, id, cause }));
}

function slots(it: Drive): readonly (number | null)[] {
  return it.program.phase === 'serving' ? it.program.current.slots.map(({ workerId }) => workerId) : [];
}

test('a new worker starts for the slot, takes it when it accepts, and only then the old one drains', () => {
  const it = serving(2);
  for (const worker of [1, 2]) it.send({ type: 'workerTakesConnections', at: 200, worker });
  expect(want(it, late, 1)).toEqual(['arm ready 30000', 'startWorker 3']);
  expect(it.program.workers.find(({ id }) => id === 3)).toMatchObject({ generation: 1, slot: 0 });
  expect(slots(it)).toEqual([1, 2]);
  expect(kinds(it.send({ type: 'workerSpawned', at: late, worker: 3, pid: 1003, isGated: true }))).toEqual(
    [],
  );
  const effects = it.ready(late + 300, 3);
  expect(kinds(effects)).toEqual([
    'admitWorker 3',
    'arm admit 30000',
    'drainWorker 1',
    'arm drain 30000',
    'introduce 1 2',
  ]);
  expect(effects).toContainEqual(
    expect.objectContaining({
      type: 'drainWorker',
      worker: 1,
      reason: 'replacement',
      timeoutMs: 30_000,
      migrates: true,
    }),
  );
  expect(slots(it)).toEqual([3, 2]);
  expect(it.effects).toContainEqual({
    type: 'announce',
    event: {
      event: 'workerReplaced',
      generation: 1,
      slot: 0,
      pid: 1001,
      successor: 1003,
      cause,
      durationMs: 300,
    },
  });
  it.send({ type: 'workerEnded', at: late + 400, worker: 1, end: left });
  expect(it.events()).not.toContain('restartScheduled');
  expect(it.program.replacements).toMatchObject({ wanted: [], underWay: null, dueAt: null });
});

test('a worker without a gate is replaced as soon as its successor is ready', () => {
  const able = { isGated: false, migrates: false, reports: false };
  const it = serving(1, {}, able);
  want(it, late, 1);
  expect(kinds(it.ready(late + 300, 2))).toEqual(['drainWorker 1', 'arm drain 30000']);
  expect(slots(it)).toEqual([2]);
});

test('the next one begins when the one before it has drained and the interval is over', () => {
  const it = serving(2);
  want(it, late, 1);
  expect(want(it, late, 2)).toEqual([]);
  it.ready(late + 300, 3);
  // The old one drains: two more workers than wanted would be too many.
  expect(kinds(it.send({ type: 'workerEnded', at: late + 400, worker: 1, end: left }))).toEqual([
    'arm replacement 9600',
  ]);
  expect(kinds(it.send({ type: 'replacementDue', at: late + 10_000 }))).toEqual([
    'arm ready 30000',
    'startWorker 4',
  ]);
  expect(it.program.workers.find(({ id }) => id === 4)).toMatchObject({ slot: 1 });
});

test('if the new worker fails, the old one serves on, and it is tried again with the pauses of a crash', () => {
  const it = serving(1, { replacementIntervalMs: 0 });
  want(it, late, 1);
  const first = it.send({ type: 'workerEnded', at: late + 100, worker: 2, end: crash });
  expect(kinds(first)).toEqual(['arm replacement 1000']);
  expect(slots(it)).toEqual([1]);
  expect(kinds(it.send({ type: 'replacementDue', at: late + 1_100 }))).toContain('startWorker 3');
  expect(kinds(it.send({ type: 'workerEnded', at: late + 1_200, worker: 3, end: crash }))).toEqual([
    'arm replacement 2000',
  ]);
  expect(it.events().filter((event) => event === 'replacementFailed')).toHaveLength(2);
  expect(it.program.workers).toMatchObject([{ id: 1, phase: 'ready' }]);
});

test('a bound that every worker soon reaches does not make it start workers without end', () => {
  const it = serving(1, { replacementIntervalMs: 0 });
  want(it, 5_000, 1);
  it.ready(5_100, 2);
  it.send({ type: 'workerEnded', at: 5_200, worker: 1, end: left });
  // The second one was ready for a second, and waits until 1 s after the beginning of the first.
  expect(want(it, 5_900, 2)).toEqual(['arm replacement 100']);
  it.send({ type: 'replacementDue', at: 6_000 });
  it.ready(6_100, 3);
  it.send({ type: 'workerEnded', at: 6_200, worker: 2, end: left });
  expect(want(it, 6_300, 3)).toEqual(['arm replacement 1700']);
});

describe('a worker that ends while it is replaced', () => {
  test('leaves its slot to the new one, which is on its way already', () => {
    const it = serving();
    want(it, late, 1);
    const effects = it.send({ type: 'workerEnded', at: late + 50, worker: 1, end: crash });
    expect(kinds(effects)).not.toContain('startWorker 3');
    expect(effects).toContainEqual({
      type: 'disarmTimer',
      key: { timer: 'restart', generation: 1, slot: 0 },
    });
    expect(slots(it)).toEqual([2]);
    expect(kinds(it.ready(late + 100, 2))).toEqual(['admitWorker 2', 'arm admit 30000']);
    expect(it.program.workers).toMatchObject([{ id: 2, admission: 'confirmed' }]);
  });

  test('and that is not to be replaced at its end takes the new one along', () => {
    const it = serving(2, {
      restart: { autorestart: 'never', exitCodes: [0], startRetries: 0, crashLoop: null },
    });
    want(it, late, 1);
    it.send({ type: 'workerEnded', at: late + 50, worker: 1, end: left });
    expect(it.program.workers).toMatchObject([
      { id: 2, phase: 'ready' },
      { id: 3, phase: 'killing' },
    ]);
  });
});

test('fewer workers, a reload and a stop take the new worker along', () => {
  const scaled = serving(2);
  want(scaled, late, 2);
  expect(kinds(scaled.send({ type: 'workerCountRequested', at: late + 10, change: -1 }))).toEqual([
    'drainWorker 2',
    'arm drain 30000',
    'SIGKILL 3',
  ]);

  const reloaded = serving();
  want(reloaded, late, 1);
  reloaded.send({ type: 'reloadRequested', at: late + 10, cause: 'signal' });
  expect(kinds(reloaded.ready(late + 20, 3))).toEqual(expect.arrayContaining(['drainWorker 1', 'SIGKILL 2']));
  expect(reloaded.program.replacements).toMatchObject({ wanted: [], underWay: null });

  const stopped = serving();
  want(stopped, late, 1);
  expect(kinds(stopped.send({ type: 'stopRequested', at: late + 10, cause: 'signal' }))).toEqual(
    expect.arrayContaining(['drainWorker 1', 'SIGKILL 2']),
  );
});

test('a replacement that is wanted during a reload begins when the candidate has failed, and not if it serves', () => {
  const it = serving();
  it.send({ type: 'reloadRequested', at: late, cause: 'signal' });
  expect(want(it, late + 10, 1)).toEqual([]);
  expect(kinds(it.send({ type: 'workerEnded', at: late + 20, worker: 2, end: crash }))).toContain(
    'startWorker 3',
  );
  expect(it.events()).toContain('replacementStarted');

  const other = serving();
  other.send({ type: 'reloadRequested', at: late, cause: 'signal' });
  want(other, late + 10, 1);
  other.ready(late + 20, 2);
  expect(other.events()).not.toContain('replacementStarted');
  expect(other.program.replacements.wanted).toEqual([]);
});

test('a second word about the same worker, and one about a worker that does not serve, change nothing', () => {
  const it = serving();
  want(it, late, 1);
  for (const id of [1, 2, 99]) expect(want(it, late + 10, id)).toEqual([]);
  expect(it.program.replacements.wanted).toHaveLength(1);
});

describe('a worker that is hung', () => {
  const hung: ReplacementCause = { reason: 'watchdog', figure: 31_000, bound: 30_000 };

  test('is replaced before others that serve, and has two seconds to end when the new one accepts', () => {
    const it = serving(2);
    want(it, late, 1);
    it.ready(late + 100, 3);
    it.send({ type: 'workerEnded', at: late + 200, worker: 1, end: left });
    want(it, late + 300, 3);
    it.send({ type: 'workerHung', at: late + 400, worker: 2, cause: hung });
    expect(it.program.replacements.wanted.map(({ worker }) => worker)).toEqual([2, 3]);
    it.send({ type: 'replacementDue', at: late + 10_000 });
    const effects = it.ready(late + 10_100, 4);
    expect(effects).toContainEqual(
      expect.objectContaining({
        type: 'drainWorker',
        worker: 2,
        signal: 'SIGTERM',
        timeoutMs: 2_000,
        migrates: false,
      }),
    );
    expect(kinds(it.send({ type: 'drainTimedOut', at: late + 12_100, worker: 2 }))).toEqual(['SIGKILL 2']);
    const killed = { ...crash, outcome: { code: null, signal: 'SIGKILL' } };
    const [event] = it.send({ type: 'workerEnded', at: late + 12_200, worker: 2, end: killed });
    expect(it.events()).not.toContain('workerFailed');
    expect(event).toBeDefined();
  });

  test('and is not Node.js is aborted', () => {
    const it = serving(1, {}, { isGated: false, migrates: false, reports: false });
    it.send({ type: 'workerHung', at: late, worker: 1, cause: hung });
    expect(it.ready(late + 100, 2)).toContainEqual(
      expect.objectContaining({ type: 'drainWorker', worker: 1, signal: 'SIGABRT', timeoutMs: 2_000 }),
    );
  });

  test('and comes back is forgotten, or drains as others do if its replacement is under way', () => {
    const waits = serving();
    waits.send({ type: 'reloadRequested', at: late, cause: 'signal' });
    waits.send({ type: 'workerHung', at: late + 10, worker: 1, cause: hung });
    waits.send({ type: 'workerAlive', at: late + 20, worker: 1 });
    expect(waits.program.replacements.wanted).toEqual([]);

    const it = serving();
    it.send({ type: 'workerHung', at: late, worker: 1, cause: hung });
    it.send({ type: 'workerAlive', at: late + 50, worker: 1 });
    expect(it.ready(late + 100, 2)).toContainEqual(
      expect.objectContaining({ type: 'drainWorker', worker: 1, signal: null, timeoutMs: 30_000 }),
    );
  });

  test('ends first where workers do not overlap, and another one is started in its slot', () => {
    const it = serving(1, { overlaps: false }, { isGated: false, migrates: false, reports: false });
    expect(kinds(it.send({ type: 'workerHung', at: late, worker: 1, cause: hung }))).toEqual([
      'drainWorker 1',
      'arm drain 2000',
    ]);
    it.send({
      type: 'workerEnded',
      at: late + 10,
      worker: 1,
      end: { ...crash, outcome: { code: null, signal: 'SIGABRT' } },
    });
    expect(it.events()).toContain('restartScheduled');
  });

  test('does not count as one that accepts', () => {
    const it = serving(1);
    it.send({ type: 'workerHung', at: late, worker: 1, cause: hung });
    expect(it.program.workers.filter(isAccepting)).toEqual([]);
  });

  test('is a reason to go back while its generation is on probation', () => {
    const it = serving(1, { probationMs: 60_000 });
    it.send({ type: 'reloadRequested', at: late, cause: 'signal' });
    it.ready(late + 100, 2);
    expect(it.program.phase).toBe('probation');
    const effects = it.send({ type: 'workerHung', at: late + 2_000, worker: 2, cause: hung });
    expect(kinds(effects)).toEqual(expect.arrayContaining(['resumeWorker 1', 'drainWorker 2']));
    expect(it.events()).toContain('generationRolledBack');
  });
});
