import { describe, expect, test } from 'vitest';
import { allAtOnce } from '../../../../../src/master/program/lifecycle/rollout.ts';
import {
  noCapabilities,
  type LifecycleSettings,
  type RolloutSettings,
} from '../../../../../src/master/program/lifecycle/state.ts';
import { crash, drive, failure, kinds, serving, type Drive } from '../../../../helpers/lifecycle.ts';

function inSteps(
  workers: number,
  rollout: Partial<RolloutSettings>,
  given: Partial<LifecycleSettings> = {},
): Drive {
  const it = serving(workers, { rollout: { ...allAtOnce, pauseMs: 1_000, ...rollout }, ...given });
  for (let worker = 1; worker <= workers; worker++)
    it.send({ type: 'workerTakesConnections', at: 150, worker });
  return it;
}

/** Which generation has accepting workers in which slots. */
function accepting({ program }: Drive): Readonly<Record<number, readonly number[]>> {
  const found: Record<number, number[]> = {};
  for (const { generation, slot, phase, admission, isPaused } of program.workers)
    if (phase === 'ready' && admission === 'confirmed' && !isPaused) (found[generation] ??= []).push(slot);
  return found;
}

const last = (it: Drive, name: string): unknown =>
  it.effects.findLast((effect) => effect.type === 'announce' && effect.event.event === name);

describe('max_surge = 1', () => {
  const one = { maxSurge: { count: 1 } };

  test('replaces one worker after the other: a new one serves, the old one in its slot pauses, and goes when the next one needs its room', () => {
    const it = inSteps(3, one);
    expect(kinds(it.send({ type: 'reloadRequested', at: 200, cause: 'signal' }))).toEqual([
      'arm ready 30000',
      'startWorker 4',
    ]);
    expect(kinds(it.ready(300, 4))).toEqual([
      'pauseWorkerBriefly 1',
      'admitWorker 4',
      'arm admit 30000',
      'arm rollout 1000',
      'pauseWorker 1',
    ]);
    expect(last(it, 'rolloutAdvanced')).toMatchObject({
      event: { generation: 2, serving: 1, workers: 3, isCanary: false, pauseMs: 1_000 },
    });
    expect(accepting(it)).toEqual({ 1: [1, 2], 2: [0] });
    it.send({ type: 'workerTakesConnections', at: 350, worker: 4 });
    // Its connections move to the new worker: the other old ones go next.
    expect(kinds(it.send({ type: 'rolloutDue', at: 1_300 }))).toEqual([
      'drainWorker 1',
      'arm drain 30000',
      'introduce 1 4',
    ]);
    expect(kinds(it.send({ type: 'workerEnded', at: 1_400, worker: 1, end: crash }))).toEqual([
      'arm ready 30000',
      'startWorker 5',
    ]);
    it.ready(1_500, 5);
    it.send({ type: 'rolloutDue', at: 2_500 });
    it.send({ type: 'workerEnded', at: 2_600, worker: 2, end: crash });
    expect(kinds(it.ready(2_700, 6))).toEqual([
      'admitWorker 6',
      'arm admit 30000',
      'drainWorker 3',
      'arm drain 30000',
      'introduce 3 4',
    ]);
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
  });

  test('goes back as a whole at a failure in the first step', () => {
    const it = inSteps(3, one);
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.ready(300, 4);
    expect(kinds(it.send({ type: 'workerEnded', at: 400, worker: 4, end: crash }))).toEqual([
      'resumeWorker 1',
    ]);
    expect(last(it, 'generationRolledBack')).toMatchObject({
      event: { generation: 2, to: 1, durationMs: 100, remaining: 0 },
    });
    expect(accepting(it)).toEqual({ 1: [0, 1, 2] });
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 1 } });
  });

  test('goes back as far as old workers are left at a failure in a later step: new workers in the other slots serve on', () => {
    const it = inSteps(3, one);
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.ready(300, 4);
    it.send({ type: 'rolloutDue', at: 1_300 });
    it.send({ type: 'workerEnded', at: 1_400, worker: 1, end: crash });
    it.ready(1_500, 5);
    expect(accepting(it)).toEqual({ 1: [2], 2: [0, 1] });
    it.send({ type: 'generationFoundBad', at: 1_600, generation: 2, failure });
    expect(accepting(it)).toEqual({ 1: [1, 2], 2: [0] });
    expect(last(it, 'generationRolledBack')).toMatchObject({ event: { remaining: 1 } });
    // The next reload replaces all of them.
    it.send({ type: 'workerEnded', at: 1_700, worker: 5, end: crash });
    it.send({ type: 'reloadRequested', at: 2_000, cause: 'signal' });
    expect(it.program).toMatchObject({ phase: 'reloading', candidate: { number: 3 } });
  });

  test('starts a slot again whose old worker is gone and whose new one has crashed', () => {
    const it = inSteps(2, one);
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.ready(300, 3);
    it.send({ type: 'rolloutDue', at: 1_300 });
    it.send({ type: 'workerEnded', at: 1_400, worker: 1, end: crash });
    it.send({ type: 'workerEnded', at: 1_450, worker: 3, end: crash });
    expect(accepting(it)).toEqual({ 1: [1] });
    expect(it.program).toMatchObject({
      phase: 'serving',
      current: { number: 1, slots: [{ index: 1 }, { index: 0 }] },
    });
    // (Worker 4 was started for the second slot, and was killed.)
    expect(it.program.workers.map(({ generation, slot, phase }) => [generation, slot, phase])).toContainEqual(
      [1, 0, 'starting'],
    );
  });

  test('a worker that fails before it serves is a failed reload, not one that went back', () => {
    const it = inSteps(2, one);
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.send({ type: 'workerEnded', at: 300, worker: 3, end: crash });
    expect(it.events()).toContain('generationFailed');
    expect(it.events()).not.toContain('generationRolledBack');
    expect(accepting(it)).toEqual({ 1: [0, 1] });
  });

  test('an old worker that crashes is started again, unless a new one serves in its slot', () => {
    const it = inSteps(3, one);
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.ready(300, 4);
    expect(kinds(it.send({ type: 'workerEnded', at: 400, worker: 1, end: crash }))).toEqual([]);
    expect(kinds(it.send({ type: 'workerEnded', at: 500, worker: 2, end: crash }))).toEqual([
      'arm restart 0',
    ]);
    expect(it.program).toMatchObject({ phase: 'reloading' });
  });

  test('another reload in the middle of it goes back and begins anew: the rest of the workers could not be started any more', () => {
    const it = inSteps(2, one);
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.ready(300, 3);
    expect(kinds(it.send({ type: 'reloadRequested', at: 400, cause: 'signal' }))).toEqual([
      'resumeWorker 1',
      'drainWorker 3',
      'arm drain 30000',
      'arm debounce 250',
      'introduce 3 1',
      'introduce 3 2',
    ]);
    expect(last(it, 'generationRolledBack')).toMatchObject({ event: { failure: { reason: 'superseded' } } });
    it.send({ type: 'debounceElapsed', at: 650 });
    expect(it.program).toMatchObject({ phase: 'reloading', candidate: { number: 3 } });
    // The one that drains takes room.
    expect(it.program.workers.filter(({ generation }) => generation === 3)).toEqual([]);
    it.send({ type: 'workerEnded', at: 700, worker: 3, end: crash });
    expect(it.program.workers.filter(({ generation }) => generation === 3)).toHaveLength(1);
  });

  test('a stop in the middle of it drains the workers of both generations', () => {
    const it = inSteps(2, one);
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.ready(300, 3);
    it.send({ type: 'stopRequested', at: 400, cause: 'signal' });
    expect(it.program.workers.map(({ phase }) => phase)).toEqual(['draining', 'draining', 'draining']);
    expect(it.send({ type: 'rolloutDue', at: 1_300 })).toEqual([]);
  });

  test('scaling in the middle of it changes how many new workers there will be', () => {
    const it = inSteps(3, one);
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.ready(300, 4);
    it.send({ type: 'workerCountRequested', at: 400, change: { to: 1 } });
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2, slots: [{ index: 0 }] } });
    expect(accepting(it)).toEqual({ 2: [0] });
  });
});

describe('max_surge = 0, max_unavailable = 1', () => {
  const none = { maxSurge: { count: 0 }, maxUnavailable: { count: 1 } };

  test('an old worker goes first, and the others take its connections', () => {
    const it = inSteps(3, none);
    expect(kinds(it.send({ type: 'reloadRequested', at: 200, cause: 'signal' }))).toEqual([
      'drainWorker 1',
      'arm drain 30000',
      'introduce 1 2',
      'introduce 1 3',
    ]);
    expect(kinds(it.send({ type: 'workerEnded', at: 300, worker: 1, end: crash }))).toEqual([
      'arm ready 30000',
      'startWorker 4',
    ]);
    it.ready(400, 4);
    expect(accepting(it)).toEqual({ 1: [1, 2], 2: [0] });
    it.send({ type: 'rolloutDue', at: 1_400 });
    expect(accepting(it)).toEqual({ 1: [2], 2: [0] });
  });

  test('an old worker that crashes again and again does not hold the reload up, which may be its repair', () => {
    const it = inSteps(2, none);
    it.send({ type: 'workerEnded', at: 200, worker: 1, end: crash });
    it.send({ type: 'restartDue', at: 200, generation: 1, slot: 0 });
    it.send({ type: 'workerEnded', at: 210, worker: 3, end: crash });
    expect(accepting(it)).toEqual({ 1: [1] });
    expect(kinds(it.send({ type: 'reloadRequested', at: 300, cause: 'signal' }))).toEqual([
      'arm ready 30000',
      'startWorker 4',
    ]);
    it.ready(400, 4);
    expect(accepting(it)).toEqual({ 1: [1], 2: [0] });
  });
});

describe('a canary', () => {
  const canary = { canary: 1, canaryMs: 60_000 };

  test('serves alone for its time, and then all the others start at once', () => {
    const it = inSteps(4, canary, { probationMs: 2_000 });
    expect(kinds(it.send({ type: 'reloadRequested', at: 200, cause: 'signal' }))).toEqual([
      'arm ready 30000',
      'startWorker 5',
    ]);
    it.ready(300, 5);
    expect(last(it, 'rolloutAdvanced')).toMatchObject({
      event: { serving: 1, workers: 4, isCanary: true, pauseMs: 60_000 },
    });
    expect(accepting(it)).toEqual({ 1: [1, 2, 3], 2: [0] });
    const rest = kinds(it.send({ type: 'rolloutDue', at: 60_300 }));
    expect(rest.filter((one) => one.startsWith('start'))).toEqual([
      'startWorker 6',
      'startWorker 7',
      'startWorker 8',
    ]);
    for (const worker of [6, 7, 8]) it.ready(60_400, worker);
    expect(it.program).toMatchObject({ phase: 'probation', current: { number: 2 }, previous: { number: 1 } });
    expect(accepting(it)).toEqual({ 2: [0, 1, 2, 3] });
  });

  test('that is found bad goes back alone', () => {
    const it = inSteps(4, canary);
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.ready(300, 5);
    expect(it.send({ type: 'generationFoundBad', at: 400, generation: 1, failure })).toEqual([]);
    it.send({ type: 'generationFoundBad', at: 500, generation: 2, failure });
    expect(accepting(it)).toEqual({ 1: [0, 1, 2, 3] });
  });

  test('of programs that accept as soon as they run leaves all old workers as they are, so that it can go back', () => {
    const it = serving(2, { rollout: { ...allAtOnce, ...canary } }, noCapabilities);
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.send({ type: 'workerSpawned', at: 201, worker: 3, pid: 1_003, isGated: false });
    it.ready(300, 3);
    expect(accepting(it)).toEqual({ 1: [0, 1], 2: [0] });
    it.send({ type: 'workerEnded', at: 400, worker: 3, end: crash });
    expect(accepting(it)).toEqual({ 1: [0, 1] });
  });

  test('of no more than all workers is none', () => {
    const it = inSteps(1, canary);
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.ready(300, 2);
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
  });
});

describe('an operator', () => {
  test('goes on before the time of a canary is over, and ends a probation', () => {
    const it = inSteps(2, { canary: 1, canaryMs: 60_000 }, { probationMs: 60_000 });
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    // Its workers do not serve yet: there is nothing to go on with.
    expect(it.send({ type: 'promoteRequested', at: 250 })).toEqual([]);
    it.ready(300, 3);
    expect(kinds(it.send({ type: 'promoteRequested', at: 400 }))).toEqual([
      'arm ready 30000',
      'startWorker 4',
    ]);
    it.ready(500, 4);
    expect(it.program.phase).toBe('probation');
    it.send({ type: 'promoteRequested', at: 600 });
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
  });

  test('goes back at any time of a reload, and during a probation', () => {
    const it = inSteps(2, { canary: 1, canaryMs: 60_000 }, { probationMs: 60_000 });
    it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
    it.send({ type: 'rollbackRequested', at: 250 });
    expect(last(it, 'generationFailed')).toMatchObject({ event: { failure: { reason: 'requested' } } });
    it.send({ type: 'workerEnded', at: 260, worker: 3, end: crash });
    it.send({ type: 'reloadRequested', at: 300, cause: 'signal' });
    it.ready(400, 4);
    it.send({ type: 'promoteRequested', at: 450 });
    it.ready(500, 5);
    expect(it.program.phase).toBe('probation');
    it.send({ type: 'rollbackRequested', at: 600 });
    expect(last(it, 'generationRolledBack')).toMatchObject({
      event: { generation: 3, to: 1, failure: { reason: 'requested' } },
    });
    expect(accepting(it)).toEqual({ 1: [0, 1] });
    expect(it.send({ type: 'rollbackRequested', at: 700 })).toEqual([]);
  });
});

test('a step for which there is no room left ends with the workers that it has, and the reload goes on', () => {
  const it = drive(4, {
    rollout: { ...allAtOnce, pauseMs: 1_000, maxSurge: { count: 1 }, maxUnavailable: { count: 1 } },
  });
  it.send({ type: 'startRequested', at: 0 });
  // One that cannot be gated: of such programs, one new worker is started at a time.
  it.send({ type: 'workerSaidReady', at: 100, worker: 3, capabilities: noCapabilities });
  for (const worker of [1, 2, 4]) it.ready(100, worker);
  it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
  it.ready(400, 5);
  it.send({ type: 'workerEnded', at: 410, worker: 1, end: crash });
  it.ready(450, 6);
  it.send({ type: 'rolloutDue', at: 1_400 });
  // A worker of the first step is replaced in the middle of the second one, and takes the room of one of that.
  it.send({ type: 'workerSaidItDrains', at: 1_500, worker: 5 });
  it.send({ type: 'workerEnded', at: 1_600, worker: 2, end: crash });
  it.send({ type: 'workerEnded', at: 1_700, worker: 5, end: crash });
  expect(accepting(it)).toEqual({ 1: [2, 3], 2: [1] });
  it.ready(1_750, 7);
  it.ready(1_800, 8);
  expect(accepting(it)).toEqual({ 1: [2, 3], 2: [1, 0, 2] });
  it.send({ type: 'rolloutDue', at: 2_800 });
  it.send({ type: 'workerEnded', at: 2_900, worker: 3, end: crash });
  it.ready(3_000, 9);
  expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
  expect(accepting(it)).toEqual({ 2: [1, 0, 2, 3] });
});
