// A worker that is started only to empty the queue of a slot that was given up (reuse_port).
import { expect, test } from 'vitest';
import { noCapabilities } from '../../../../../src/master/program/lifecycle/state.ts';
import { crash, kinds, serving } from '../../../../helpers/lifecycle.ts';

const leftBehind = { type: 'queueLeftBehind', slot: 1, connections: 3 } as const;

test('it starts in the generation that serves, is admitted, and drains as soon as it accepts', () => {
  const it = serving();
  const effects = it.send({ ...leftBehind, at: 1_000 });
  expect(effects).toContainEqual({ type: 'startWorker', worker: 2, generation: 1, slot: 1, queue: 1 });
  expect(it.events()).toContain('queueLeftBehind');
  const ready = it.ready(1_100, 2);
  expect(ready).toContainEqual({ type: 'admitWorker', worker: 2 });
  expect(ready).toContainEqual(
    expect.objectContaining({ type: 'drainWorker', worker: 2, reason: 'scaleDown' }),
  );
  expect(it.program.workers.map(({ id, phase }) => [id, phase])).toEqual([
    [1, 'ready'],
    [2, 'draining'],
  ]);
});

test('one that accepts without being admitted drains once it is ready', () => {
  const it = serving();
  it.send({ ...leftBehind, at: 1_000 });
  it.send({ type: 'workerSpawned', at: 1_010, worker: 2, pid: 7, isGated: false });
  const effects = it.send({ type: 'workerSaidReady', at: 2_000, worker: 2, capabilities: noCapabilities });
  expect(kinds(effects)).toContain('drainWorker 2');
});

test('one that fails is not replaced, and touches no generation', () => {
  const it = serving();
  it.send({ ...leftBehind, at: 1_000 });
  const { program } = it;
  it.send({ type: 'workerEnded', at: 1_100, worker: 2, end: crash });
  expect(it.program).toEqual({ ...program, workers: program.workers.slice(0, 1) });
  expect(it.events()).not.toContain('restartScheduled');
});

test('one that starts when the next generation takes over is killed, and cannot wait out its probation', () => {
  const it = serving(1, { probationMs: 2_000 });
  it.send({ ...leftBehind, at: 1_000 });
  it.send({ type: 'workerSpawned', at: 1_010, worker: 2, pid: 7, isGated: true });
  it.send({ type: 'reloadRequested', at: 1_100, cause: 'signal' });
  it.ready(1_200, 3);
  expect(it.program.phase).toBe('probation');
  expect(it.program.workers.map(({ id, phase, isPaused }) => [id, phase, isPaused])).toEqual([
    [1, 'ready', true],
    [2, 'killing', false],
    [3, 'ready', false],
  ]);
});
