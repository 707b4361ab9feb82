import { describe, expect, test } from 'vitest';
import { capabilities, crash, drive, failure, kinds, serving } from '../../../../helpers/lifecycle.ts';

describe('the first start', () => {
  test('starts every worker, arms its ready timer and serves when all are ready', () => {
    const it = drive(2);
    expect(kinds(it.send({ type: 'startRequested', at: 0 }))).toEqual([
      'arm ready 30000',
      'startWorker 1',
      'arm ready 30000',
      'startWorker 2',
    ]);
    it.ready(5, 1);
    expect(it.program.phase).toBe('starting');
    expect(kinds(it.ready(9, 2))).toEqual([
      'admitWorker 1',
      'arm admit 30000',
      'admitWorker 2',
      'arm admit 30000',
    ]);
    expect(it.program.phase).toBe('serving');
  });

  test('that fails kills what it started and ends with the reason', () => {
    const it = drive(2);
    it.send({ type: 'startRequested', at: 0 });
    expect(kinds(it.send({ type: 'workerEnded', at: 9, worker: 1, end: crash }))).toEqual([
      'SIGKILL 2',
      'closeListeners',
    ]);
    expect(kinds(it.send({ type: 'workerEnded', at: 9, worker: 2, end: crash }))).toEqual(['finish']);
    expect(it.program).toMatchObject({ phase: 'failed', failure });
  });

  test('answers a reload that was asked for meanwhile with one more generation', () => {
    const it = drive();
    it.send({ type: 'startRequested', at: 0 });
    it.send({ type: 'reloadRequested', at: 1, cause: 'signal' });
    it.ready(400, 1);
    expect(it.program).toMatchObject({ phase: 'reloading', candidate: { number: 2 } });
  });
});

describe('a reload', () => {
  test('starts the new generation first, and drains the old one only when the new one is ready', () => {
    const it = serving(2);
    expect(kinds(it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' }))).toEqual([
      'arm ready 30000',
      'startWorker 3',
      'arm ready 30000',
      'startWorker 4',
    ]);
    expect(kinds(it.ready(1_100, 3))).toEqual([]);
    expect(kinds(it.ready(1_200, 4))).toEqual([
      'admitWorker 3',
      'arm admit 30000',
      'admitWorker 4',
      'arm admit 30000',
      'drainWorker 1',
      'arm drain 30000',
      'drainWorker 2',
      'arm drain 30000',
    ]);
    expect(kinds(it.send({ type: 'workerTakesConnections', at: 1_250, worker: 4 }))).toEqual([
      'introduce 1 4',
      'introduce 2 4',
    ]);
    expect(kinds(it.send({ type: 'workerTakesConnections', at: 1_250, worker: 3 }))).toEqual([
      'introduce 1 3',
      'introduce 2 3',
    ]);
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
  });

  test('whose worker exits is rolled back, and nobody of the old generation hears of it', () => {
    const it = serving();
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    expect(kinds(it.send({ type: 'workerEnded', at: 1_100, worker: 2, end: crash }))).toEqual([]);
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 1 } });
    expect(it.events()).toContain('generationFailed');
  });

  test('whose worker is not ready in time is rolled back, and the worker killed with its group', () => {
    const it = serving(2);
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    it.ready(1_100, 3);
    expect(
      kinds(it.send({ type: 'workerNotReady', at: 31_000, worker: 4, failure, mayAccept: true })),
    ).toEqual(['SIGKILL 4', 'SIGKILL 3']);
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 1 } });
  });

  test('drains the old generation only when every new worker has confirmed that it accepts', () => {
    const it = serving(2);
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    it.send({ type: 'workerSaidReady', at: 1_100, worker: 3, capabilities });
    it.send({ type: 'workerSaidReady', at: 1_100, worker: 4, capabilities });
    expect(kinds(it.send({ type: 'workerAdmitted', at: 1_110, worker: 3 }))).toEqual([]);
    expect(it.program.phase).toBe('reloading');
    expect(kinds(it.send({ type: 'workerAdmitted', at: 1_120, worker: 4 }))).toContain('drainWorker 1');
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
  });

  test('whose worker does not confirm is rolled back: that one is killed, and those that may have clients drain', () => {
    const it = serving(2);
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    it.send({ type: 'workerSaidReady', at: 1_100, worker: 3, capabilities });
    it.send({ type: 'workerSaidReady', at: 1_100, worker: 4, capabilities });
    it.send({ type: 'workerAdmitted', at: 1_110, worker: 3 });
    expect(kinds(it.send({ type: 'admissionFailed', at: 31_100, worker: 4, failure }))).toEqual([
      'SIGKILL 4',
      'drainWorker 3',
      'arm drain 30000',
    ]);
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 1 } });
    expect(it.events()).toContain('generationFailed');
  });

  test('is asked for any number of times while one runs: exactly one more follows', () => {
    const it = serving();
    for (let n = 0; n < 1_000; n++) it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    expect(it.program).toMatchObject({ phase: 'reloading', lastGeneration: 2 });
    it.ready(2_000, 2);
    expect(it.program).toMatchObject({ phase: 'reloading', lastGeneration: 3, pendingSince: null });
    it.ready(3_000, 3);
    expect(it.program).toMatchObject({ phase: 'serving', lastGeneration: 3 });
  });

  test('that waits begins only when no request has come for a while: a storm is two generations, however long it lasts', () => {
    const it = serving();
    let worker = 2;
    for (let at = 1_000; at < 4_000; at++) {
      const effects = it.send({ type: 'reloadRequested', at, cause: 'signal' });
      if (kinds(effects).some((kind) => kind.startsWith('startWorker'))) worker = it.program.lastWorkerId;
      if (it.program.phase === 'reloading' && at % 80 === 0) it.ready(at, worker);
      it.send({ type: 'debounceElapsed', at });
    }
    expect(it.program.lastGeneration).toBe(2);
    it.send({ type: 'debounceElapsed', at: 4_250 });
    expect(it.program.lastGeneration).toBe(3);
  });

  test('waits while too many old generations drain', () => {
    const it = serving(1, { maxDrainingGenerations: 2, debounceMs: 0 });
    for (const worker of [2, 3]) {
      it.send({ type: 'reloadRequested', at: worker * 1_000, cause: 'signal' });
      it.ready(worker * 1_000 + 100, worker);
    }
    it.send({ type: 'reloadRequested', at: 9_000, cause: 'signal' });
    expect(it.program).toMatchObject({ phase: 'serving', pendingSince: 9_000, lastGeneration: 3 });
    it.send({ type: 'workerEnded', at: 9_500, worker: 1, end: crash });
    expect(it.program).toMatchObject({ phase: 'reloading', lastGeneration: 4 });
  });
});

describe('a worker that crashes', () => {
  test('is replaced at once, then after growing pauses', () => {
    const it = serving();
    const delays: unknown[] = [];
    let worker = 1;
    for (let at = 200; delays.length < 8; at += 100) {
      const effects = it.send({ type: 'workerEnded', at, worker, end: crash });
      delays.push(...effects.flatMap((effect) => (effect.type === 'armTimer' ? [effect.delayMs] : [])));
      it.send({ type: 'restartDue', at, generation: 1, slot: 0 });
      worker = it.program.lastWorkerId;
    }
    expect(delays).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  test('is replaced by one that is admitted by itself, in the same generation', () => {
    const it = serving(2);
    it.send({ type: 'workerEnded', at: 200, worker: 1, end: crash });
    it.send({ type: 'restartDue', at: 200, generation: 1, slot: 0 });
    expect(kinds(it.ready(300, 3))).toEqual(['admitWorker 3', 'arm admit 30000']);
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 1 } });
  });

  test('during a reload is replaced too, and the replacement goes with its generation', () => {
    const it = serving();
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    it.send({ type: 'workerEnded', at: 1_001, worker: 1, end: crash });
    it.send({ type: 'restartDue', at: 1_001, generation: 1, slot: 0 });
    expect(kinds(it.ready(1_100, 2))).toEqual(['admitWorker 2', 'arm admit 30000', 'SIGKILL 3']);
  });
});

describe('a drain', () => {
  test('that takes too long is ended by SIGTERM, and 2 s later by SIGKILL', () => {
    const it = serving();
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    it.ready(1_100, 2);
    expect(kinds(it.send({ type: 'drainTimedOut', at: 31_100, worker: 1 }))).toEqual([
      'SIGTERM 1',
      'arm kill 2000',
    ]);
    expect(kinds(it.send({ type: 'killTimedOut', at: 33_100, worker: 1 }))).toEqual(['SIGKILL 1']);
  });
});

describe('a stop', () => {
  test('drains the ready, kills the ones that never served, refuses clients, and finishes with the last one', () => {
    const it = serving();
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    expect(kinds(it.send({ type: 'stopRequested', at: 1_050, cause: 'signal' }))).toEqual([
      'drainWorker 1',
      'arm drain 30000',
      'SIGKILL 2',
      'closeListeners',
    ]);
    it.send({ type: 'workerEnded', at: 1_060, worker: 2, end: crash });
    expect(kinds(it.send({ type: 'workerEnded', at: 1_070, worker: 1, end: crash }))).toEqual(['finish']);
    expect(it.program.phase).toBe('stopped');
  });

  test('asked for a second time kills', () => {
    const it = serving(2);
    it.send({ type: 'stopRequested', at: 1_000, cause: 'signal' });
    expect(kinds(it.send({ type: 'stopRequested', at: 1_200, cause: 'signal' }))).toEqual([
      'SIGKILL 1',
      'SIGKILL 2',
    ]);
  });

  test('whose second signal follows within 200 ms was asked for once', () => {
    const it = serving();
    it.send({ type: 'stopRequested', at: 1_000, cause: 'signal' });
    expect(it.send({ type: 'stopRequested', at: 1_000, cause: 'signal' })).toEqual([]);
    expect(it.send({ type: 'stopRequested', at: 1_199, cause: 'signal' })).toEqual([]);
    // It is counted from the first: signals that do not end cannot keep a stop from being urgent.
    expect(kinds(it.send({ type: 'stopRequested', at: 1_300, cause: 'signal' }))).toEqual(['SIGKILL 1']);
  });

  test('asked for by request and by the signal that follows it at once, as systemd does, was asked for once', () => {
    const it = serving();
    it.send({ type: 'stopRequested', at: 1_000, cause: 'control' });
    expect(it.send({ type: 'stopRequested', at: 1_050, cause: 'signal' })).toEqual([]);
  });

  test('asked for by two requests kills at once: nobody sends two by one act', () => {
    const it = serving();
    it.send({ type: 'stopRequested', at: 1_000, cause: 'embedder' });
    expect(kinds(it.send({ type: 'stopRequested', at: 1_000, cause: 'embedder' }))).toEqual(['SIGKILL 1']);
  });
});

describe('the number of workers', () => {
  test('grows and shrinks while serving, never below one', () => {
    const it = serving();
    expect(kinds(it.send({ type: 'workerCountRequested', at: 500, change: 1 }))).toEqual([
      'arm ready 30000',
      'startWorker 2',
    ]);
    it.ready(600, 2);
    expect(kinds(it.send({ type: 'workerCountRequested', at: 700, change: -1 }))).toEqual([
      'drainWorker 2',
      'arm drain 30000',
    ]);
    expect(kinds(it.send({ type: 'workerCountRequested', at: 800, change: -1 }))).toEqual([]);
    expect(it.program.workersWanted).toBe(1);
  });

  test('changed during a reload holds for the new generation, and for the old one when it is rolled back', () => {
    const it = serving();
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    expect(kinds(it.send({ type: 'workerCountRequested', at: 1_001, change: 1 }))).toEqual([
      'arm ready 30000',
      'startWorker 3',
    ]);
    expect(kinds(it.send({ type: 'workerEnded', at: 1_100, worker: 2, end: crash }))).toEqual([
      'SIGKILL 3',
      'arm ready 30000',
      'startWorker 4',
    ]);
  });

  test('shrinks by the slot that waits for its restart, never by the one that serves', () => {
    const it = serving(2);
    it.send({ type: 'workerEnded', at: 200, worker: 1, end: crash });
    it.send({ type: 'restartDue', at: 200, generation: 1, slot: 0 });
    it.send({ type: 'workerEnded', at: 300, worker: 3, end: crash });
    expect(kinds(it.send({ type: 'workerCountRequested', at: 400, change: -1 }))).toEqual([]);
    expect(it.program).toMatchObject({ current: { slots: [{ index: 1, workerId: 2 }] } });
    it.send({ type: 'workerCountRequested', at: 500, change: 1 });
    expect(it.program).toMatchObject({ current: { slots: [{ index: 1 }, { index: 0 }] } });
  });
});
