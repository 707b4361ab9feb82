import { expect, test } from 'vitest';
import { servingGeneration } from '../../../../../src/master/program/lifecycle/state.ts';
import { crash, drive, kinds, serving, type Drive } from '../../../../helpers/lifecycle.ts';

test('a stopped program can be started again, with the next generation', () => {
  const it = serving();
  it.send({ type: 'stopRequested', at: 1_000, cause: 'control' });
  it.send({ type: 'workerEnded', at: 1_100, worker: 1, end: crash });
  expect(it.program.phase).toBe('stopped');
  it.send({ type: 'startRequested', at: 2_000 });
  it.send({ type: 'workerSpawned', at: 2_001, worker: 2, pid: 1002, isGated: true });
  it.ready(2_100, 2);
  expect(servingGeneration(it.program)?.number).toBe(2);
});

test('a program whose first generation failed can be started again', () => {
  const it = drive();
  it.send({ type: 'startRequested', at: 0 });
  it.send({ type: 'workerEnded', at: 10, worker: 1, end: crash });
  expect(it.program).toMatchObject({ phase: 'failed', failure: crash.failure });
  it.send({ type: 'startRequested', at: 2_000 });
  expect(it.program.phase).toBe('starting');
  expect(it.program).not.toHaveProperty('failure');
});

test('a stopped program starts with the number of workers that was asked for meanwhile', () => {
  const it = serving();
  it.send({ type: 'stopRequested', at: 1_000, cause: 'control' });
  it.send({ type: 'workerEnded', at: 1_100, worker: 1, end: crash });
  it.send({ type: 'workerCountRequested', at: 1_200, change: { to: 3 } });
  it.send({ type: 'startRequested', at: 2_000 });
  expect(it.program.workers).toHaveLength(3);
});

/** Its only worker has crashed twice, and waits for its restart. */
function restarting(): Drive {
  const it = serving();
  it.send({ type: 'workerEnded', at: 1_000, worker: 1, end: crash });
  it.send({ type: 'restartDue', at: 1_000, generation: 1, slot: 0 });
  it.send({ type: 'workerEnded', at: 1_100, worker: 2, end: crash });
  return it;
}

test('a worker that waits for its restart is started at once when a start is requested, and not again when its time comes', () => {
  const it = restarting();
  expect(kinds(it.send({ type: 'startRequested', at: 1_200 }))).toContain(
    `startWorker ${it.program.lastWorkerId}`,
  );
  expect(servingGeneration(it.program)).toMatchObject({
    number: 1,
    slots: [{ workerId: 3, restartAt: null, failures: 2 }],
  });
  expect(kinds(it.send({ type: 'restartDue', at: 2_100, generation: 1, slot: 0 }))).toEqual([]);
});

test('a start leaves workers that run, and those that are starting, as they are', () => {
  const it = serving(2);
  expect(it.send({ type: 'startRequested', at: 1_000 })).toEqual([]);
  it.send({ type: 'workerEnded', at: 1_100, worker: 1, end: crash });
  it.send({ type: 'restartDue', at: 1_100, generation: 1, slot: 0 });
  expect(it.send({ type: 'startRequested', at: 1_200 })).toEqual([]);
  expect(it.program.workers).toHaveLength(2);
});

test('a start fills the slots that wait while a reload is under way, too', () => {
  const it = restarting();
  it.send({ type: 'reloadRequested', at: 1_150, cause: 'control' });
  expect(it.program.phase).toBe('reloading');
  expect(kinds(it.send({ type: 'startRequested', at: 1_200 }))).toContain(
    `startWorker ${it.program.lastWorkerId}`,
  );
});
