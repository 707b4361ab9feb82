import { expect, test } from 'vitest';
import { servingGeneration } from '../../../../../src/master/program/lifecycle/state.ts';
import { crash, drive, serving } from '../../../../helpers/lifecycle.ts';

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
