import { describe, expect, test } from 'vitest';
import { capabilities, crash, failure, kinds, serving, type Drive } from '../../../../helpers/lifecycle.ts';

const probationMs = 2_000;

/** Generation 2 serves on probation from 1_100 on; its workers are 3 and 4, those of generation 1 are 1 and 2. */
function onProbation(): Drive {
  const it = serving(2, { probationMs });
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
      'admitWorker 3',
      'arm admit 30000',
      'admitWorker 4',
      'arm admit 30000',
      'pauseWorkerBriefly 1',
      'pauseWorkerBriefly 2',
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

  test.each([
    ['a reload', { type: 'reloadRequested', at: 1_200, cause: 'signal' }, 'reloading'],
    ['another number of workers', { type: 'workerCountRequested', at: 1_200, change: 1 }, 'serving'],
  ] as const)('is cut short by %s', (_what, input, phase) => {
    const it = onProbation();
    expect(kinds(it.send(input))).toEqual(expect.arrayContaining(['drainWorker 1', 'drainWorker 2']));
    expect(it.program).toMatchObject({ phase, current: { number: 2 } });
    expect(it.effects).toContainEqual({
      type: 'announce',
      event: { event: 'generationSettled', generation: 2, durationMs: 100, isEarly: true },
    });
  });

  test('is cut short by a stop, which drains every worker', () => {
    const it = onProbation();
    const done = kinds(it.send({ type: 'stopRequested', at: 1_200, cause: 'signal' }));
    for (const worker of [1, 2, 3, 4]) expect(done).toContain(`drainWorker ${worker}`);
    expect(it.program.phase).toBe('stopping');
  });

  test('does not happen when another reload waits already', () => {
    const it = serving(1, { probationMs, settleMs: 0 });
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
