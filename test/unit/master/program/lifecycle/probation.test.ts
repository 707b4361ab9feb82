import { describe, expect, test } from 'vitest';
import { allAtOnce } from '../../../../../src/master/program/lifecycle/rollout.ts';
import { isAccepting, type LifecycleSettings } from '../../../../../src/master/program/lifecycle/state.ts';
import { capabilities, crash, failure, kinds, serving, type Drive } from '../../../../helpers/lifecycle.ts';

const probationMs = 2_000;

/** Generation 2 serves on probation from 1_100 on; its workers are 3 and 4, those of generation 1 are 1 and 2. */
function onProbation(given: Partial<LifecycleSettings> = {}): Drive {
  const it = serving(2, { probationMs, ...given });
  it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
  for (const worker of [3, 4]) it.ready(1_100, worker);
  return it;
}

describe('a new generation on probation', () => {
  test('serves, and the old workers pause instead of draining', () => {
    const it = serving(2, { probationMs });
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    it.ready(1_100, 3);
    expect(kinds(it.ready(1_100, 4)).slice(-9)).toEqual([
      'pauseWorkerBriefly 1',
      'pauseWorkerBriefly 2',
      'admitWorker 3',
      'arm admit 30000',
      'admitWorker 4',
      'arm admit 30000',
      'pauseWorker 1',
      'pauseWorker 2',
      'arm probation 2000',
    ]);
    expect(it.program).toMatchObject({
      phase: 'probation',
      current: { number: 2 },
      previous: { number: 1 },
      until: 3_100,
    });
  });

  test('settles when the time is over: the old workers drain', () => {
    const it = onProbation();
    expect(kinds(it.send({ type: 'probationElapsed', at: 3_100 }))).toEqual([
      'drainWorker 1',
      'arm drain 30000',
      'drainWorker 2',
      'arm drain 30000',
    ]);
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
    expect(it.effects).toContainEqual({
      type: 'announce',
      event: { event: 'generationSettled', generation: 2, durationMs: 2_000, isEarly: false },
    });
  });

  test('is rolled back when one of its workers crashes: the old ones accept again, the others drain towards them', () => {
    const it = onProbation();
    for (const worker of [1, 2]) it.send({ type: 'workerTakesConnections', at: 1_150, worker });
    expect(kinds(it.send({ type: 'workerEnded', at: 1_200, worker: 3, end: crash }))).toEqual([
      'resumeWorker 1',
      'resumeWorker 2',
      'drainWorker 4',
      'arm drain 30000',
      'introduce 4 1',
      'introduce 4 2',
    ]);
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 1 } });
    expect(it.events()).toContain('generationRolledBack');
    // Its stale timer changes nothing.
    expect(it.send({ type: 'probationElapsed', at: 3_100 })).toEqual([]);
  });

  test('that is rolled back when an old worker has crashed too starts that one again', () => {
    const it = onProbation();
    it.send({ type: 'workerEnded', at: 1_150, worker: 1, end: crash });
    expect(it.program.phase).toBe('probation');
    expect(kinds(it.send({ type: 'workerEnded', at: 1_200, worker: 3, end: crash }))).toEqual([
      'resumeWorker 2',
      'drainWorker 4',
      'arm drain 30000',
      'arm ready 30000',
      'startWorker 5',
    ]);
  });

  test('says of an old worker that crashes meanwhile what a draining one says at its end', () => {
    const it = onProbation();
    it.send({ type: 'workerEnded', at: 1_150, worker: 1, end: { ...crash, cut: 2 } });
    expect(it.effects).toContainEqual({
      type: 'announce',
      event: expect.objectContaining({
        event: 'workerExited',
        generation: 1,
        from: 'ready',
        cut: 2,
      }) as unknown,
    });
    expect(it.events()).not.toContain('workerFailed');
  });

  test('settles when no old worker is left that could take over', () => {
    const it = onProbation();
    it.send({ type: 'workerEnded', at: 1_150, worker: 1, end: crash });
    it.send({ type: 'workerEnded', at: 1_160, worker: 2, end: crash });
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
    expect(it.events()).toContain('generationSettled');
  });

  test('settles when an old worker cannot pause: two generations that accept are one too many', () => {
    const it = onProbation();
    expect(kinds(it.send({ type: 'workerCannotPause', at: 1_150, worker: 2 }))).toContain('drainWorker 2');
    expect(it.program.phase).toBe('serving');
  });

  test('takes no connections from workers that drain: they go to the generation that is sure', () => {
    const it = serving(1, { probationMs });
    it.send({ type: 'workerTakesConnections', at: 150, worker: 1 });
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    it.ready(1_100, 2);
    it.send({ type: 'probationElapsed', at: 3_100 });
    it.send({ type: 'workerTakesConnections', at: 3_150, worker: 2 });
    it.send({ type: 'reloadRequested', at: 4_000, cause: 'signal' });
    it.ready(4_100, 3);
    expect(kinds(it.send({ type: 'workerTakesConnections', at: 4_150, worker: 3 }))).toEqual([]);
    expect(kinds(it.send({ type: 'probationElapsed', at: 6_100 }))).toContain('introduce 2 3');
  });

  test('is cut short by another number of workers', () => {
    const it = onProbation();
    const done = kinds(it.send({ type: 'workerCountRequested', at: 1_200, change: 1 }));
    expect(done).toEqual(expect.arrayContaining(['drainWorker 1', 'drainWorker 2']));
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
    expect(it.effects).toContainEqual(settledEarly);
  });

  test('is cut short by a stop, which drains every worker', () => {
    const it = onProbation();
    const done = kinds(it.send({ type: 'stopRequested', at: 1_200, cause: 'signal' }));
    for (const worker of [1, 2, 3, 4]) expect(done).toContain(`drainWorker ${worker}`);
    expect(it.program.phase).toBe('stopping');
  });

  test('does not happen when another reload waits already', () => {
    const it = serving(1, { probationMs, debounceMs: 0 });
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    it.send({ type: 'reloadRequested', at: 1_050, cause: 'signal' });
    expect(kinds(it.ready(1_100, 2))).toContain('drainWorker 1');
    expect(it.program).toMatchObject({ phase: 'reloading', lastGeneration: 3 });
  });

  test('replaces a worker that was signalled from elsewhere: that is no crash', () => {
    const it = onProbation();
    expect(kinds(it.send({ type: 'workerSaidItDrains', at: 1_200, worker: 3 }))).toContain('startWorker 5');
    expect(it.program.phase).toBe('probation');
    expect(kinds(it.ready(1_300, 5))).toContain('admitWorker 5');
  });

  test('gives an old worker up that was started again by its shell: the new process has never accepted, and cannot take over', () => {
    const it = onProbation();
    const done = kinds(
      it.send({ type: 'workerRestartedItself', at: 1_200, worker: 1, failure, capabilities }),
    );
    expect(done).toContain('SIGKILL 1');
    expect(it.program.phase).toBe('probation');
    expect(kinds(it.send({ type: 'workerEnded', at: 1_300, worker: 3, end: crash }))).toEqual(
      expect.arrayContaining(['resumeWorker 2', 'startWorker 5']),
    );
  });

  test('settles when its shell has started the last old worker again', () => {
    const it = onProbation();
    for (const worker of [1, 2])
      it.send({ type: 'workerRestartedItself', at: 1_200, worker, failure, capabilities });
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
    expect(it.events()).toContain('generationSettled');
  });
});

const settledEarly = {
  type: 'announce',
  event: { event: 'generationSettled', generation: 2, durationMs: 100, isEarly: true },
};

describe('a reload during a probation', () => {
  /** Workers 5 and 6 of generation 3 start, those of 2 serve, and those of 1 are paused. */
  function reloadedAgain(given: Partial<LifecycleSettings> = {}): Drive {
    const it = onProbation(given);
    it.send({ type: 'reloadRequested', at: 1_200, cause: 'signal' });
    return it;
  }

  test('ends it, and starts its workers before the paused ones drain: no connection moves while they boot', () => {
    const it = onProbation();
    const done = kinds(it.send({ type: 'reloadRequested', at: 1_200, cause: 'signal' }));
    expect(done).toEqual(['arm ready 30000', 'startWorker 5', 'arm ready 30000', 'startWorker 6']);
    expect(it.program).toMatchObject({
      phase: 'reloading',
      current: { number: 2 },
      candidate: { number: 3 },
    });
    expect(it.effects).toContainEqual(settledEarly);
    it.ready(1_300, 5);
    const promoted = kinds(it.ready(1_310, 6));
    expect(promoted).toEqual(
      expect.arrayContaining(['drainWorker 1', 'drainWorker 2', 'pauseWorker 3', 'pauseWorker 4']),
    );
    expect(it.program).toMatchObject({ phase: 'probation', previous: { number: 2 } });
  });

  test('that fails lets the paused workers drain', () => {
    const it = reloadedAgain();
    const done = kinds(it.send({ type: 'workerEnded', at: 1_250, worker: 5, end: crash }));
    expect(done).toEqual(expect.arrayContaining(['drainWorker 1', 'drainWorker 2']));
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
  });

  test('after which another one waits lets them drain as soon as its workers serve', () => {
    const it = reloadedAgain();
    it.send({ type: 'reloadRequested', at: 1_210, cause: 'signal' });
    it.ready(2_000, 5);
    const promoted = kinds(it.ready(2_010, 6));
    expect(promoted).toEqual(expect.arrayContaining([1, 2, 3, 4].map((worker) => `drainWorker ${worker}`)));
  });

  test('whose first worker serves alone lets them drain then', () => {
    const it = serving(2, { probationMs, rollout: { ...allAtOnce, canary: 1, canaryMs: 50 } });
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    it.ready(1_100, 3);
    it.send({ type: 'rolloutDue', at: 1_150 });
    it.ready(1_200, 4);
    expect(it.program.phase).toBe('probation');
    expect(kinds(it.send({ type: 'reloadRequested', at: 1_210, cause: 'signal' }))).not.toContain(
      'drainWorker 1',
    );
    expect(kinds(it.ready(1_300, 5))).toEqual(expect.arrayContaining(['drainWorker 1', 'drainWorker 2']));
    expect(it.program).toMatchObject({ phase: 'reloading', candidate: { number: 3 } });
  });

  test('with max_surge needs their room: they drain at once, and its workers start when they are gone', () => {
    const it = onProbation({ rollout: { ...allAtOnce, maxSurge: { count: 2 } } });
    const done = kinds(it.send({ type: 'reloadRequested', at: 1_200, cause: 'signal' }));
    expect(done).toEqual(['drainWorker 1', 'arm drain 30000', 'drainWorker 2', 'arm drain 30000']);
    expect(it.events()).not.toContain('rolloutAdvanced');
    expect(kinds(it.send({ type: 'workerEnded', at: 1_300, worker: 1, end: crash }))).toContain(
      'startWorker 5',
    );
    expect(kinds(it.send({ type: 'workerEnded', at: 1_300, worker: 2, end: crash }))).toContain(
      'startWorker 6',
    );
    for (const worker of [5, 6]) it.ready(1_400, worker);
    expect(it.program).toMatchObject({ phase: 'probation', current: { number: 3 } });
  });

  test('lets no worker that serves go for the room that paused ones leave', () => {
    const rollout = { ...allAtOnce, maxSurge: { count: 2 }, maxUnavailable: { count: 1 } };
    const it = onProbation({ rollout });
    it.send({ type: 'reloadRequested', at: 1_200, cause: 'signal' });
    expect(it.program.workers.filter(isAccepting).map(({ id }) => id)).toEqual([3, 4]);
  });

  test('with a canary and max_surge still begins with the canary', () => {
    const rollout = { ...allAtOnce, maxSurge: { count: 1 }, canary: 1, canaryMs: 50, pauseMs: 10 };
    const it = serving(2, { probationMs, rollout });
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    it.ready(1_100, 3);
    it.send({ type: 'rolloutDue', at: 1_150 });
    it.send({ type: 'workerEnded', at: 1_160, worker: 1, end: crash });
    it.ready(1_200, 4);
    expect(it.program.phase).toBe('probation');
    it.send({ type: 'reloadRequested', at: 1_300, cause: 'signal' });
    expect(it.program).toMatchObject({ rollout: { isCanary: true, servesSince: null, nextAt: null } });
    expect(kinds(it.send({ type: 'workerEnded', at: 1_400, worker: 2, end: crash }))).toContain(
      'startWorker 5',
    );
  });

  test('drains a successor that did not come to serve because of a reload, not because fewer workers are wanted', () => {
    const it = serving(1, { probationMs });
    it.send({
      type: 'replacementWanted',
      at: 40_000,
      id: 1,
      cause: { reason: 'maxMemory', figure: 2, bound: 1 },
    });
    it.send({ type: 'workerSaidReady', at: 40_100, worker: 2, capabilities });
    it.send({ type: 'reloadRequested', at: 40_150, cause: 'signal' });
    it.ready(40_200, 3);
    expect(it.effects).toContainEqual(
      expect.objectContaining({ type: 'drainWorker', worker: 2, reason: 'reload' }),
    );
  });

  test('replaces none of them that is hung: it goes soon', () => {
    const it = reloadedAgain();
    const cause = { reason: 'watchdog', figure: 2, bound: 1 } as const;
    expect(kinds(it.send({ type: 'workerHung', at: 1_250, worker: 2, cause }))).toEqual([]);
    it.ready(1_300, 5);
    expect(kinds(it.ready(1_310, 6))).toContain('drainWorker 2');
    expect(it.events()).not.toContain('replacementStarted');
  });

  test('starts none in place of one of them that was signalled from elsewhere', () => {
    const it = reloadedAgain();
    const done = kinds(it.send({ type: 'workerSaidItDrains', at: 1_250, worker: 2 }));
    expect(done).toEqual(['drainWorker 2', 'arm drain 30000']);
    expect(it.program).toMatchObject({ phase: 'reloading', candidate: { number: 3 } });
  });

  test('cannot be taken back to them: their generation is over', () => {
    const it = reloadedAgain();
    const done = kinds(it.send({ type: 'rollbackRequested', at: 1_250 }));
    expect(done).toEqual(
      expect.arrayContaining(['drainWorker 1', 'drainWorker 2', 'SIGKILL 5', 'SIGKILL 6']),
    );
    expect(done).not.toContain('resumeWorker 1');
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
  });

  test('is not waited for when too many old generations drain: they drain at once', () => {
    const it = onProbation({ maxDrainingGenerations: 1 });
    const done = kinds(it.send({ type: 'reloadRequested', at: 1_200, cause: 'signal' }));
    expect(done).toEqual(expect.arrayContaining(['drainWorker 1', 'drainWorker 2']));
    expect(it.program).toMatchObject({ phase: 'serving', pendingSince: 1_200 });
  });

  test('drains one of them that cannot pause', () => {
    const it = reloadedAgain();
    expect(kinds(it.send({ type: 'workerCannotPause', at: 1_250, worker: 2 }))).toContain('drainWorker 2');
    expect(it.program).toMatchObject({ phase: 'reloading', candidate: { number: 3 } });
  });

  test('kills one of them whose program has ended', () => {
    const it = reloadedAgain();
    expect(kinds(it.send({ type: 'workerLostProgram', at: 1_250, worker: 2, failure }))).toContain(
      'SIGKILL 2',
    );
    expect(it.program).toMatchObject({ phase: 'reloading', candidate: { number: 3 } });
  });
});
