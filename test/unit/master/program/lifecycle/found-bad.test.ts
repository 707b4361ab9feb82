import { expect, test } from 'vitest';
import { failure, kinds, serving } from '../../../../helpers/lifecycle.ts';

test('a generation on probation that is found bad drains with its connections, and the old one accepts again first', () => {
  const it = serving(2, { probationMs: 60_000 });
  for (const worker of [1, 2]) it.send({ type: 'workerTakesConnections', at: 150, worker });
  it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
  for (const worker of [3, 4]) {
    it.send({ type: 'workerSpawned', at: 201, worker, pid: 1_000 + worker, isGated: true });
    it.ready(300, worker);
  }
  expect(it.program.phase).toBe('probation');
  const effects = it.send({ type: 'generationFoundBad', at: 900, generation: 2, failure });
  expect(kinds(effects)).toEqual([
    'resumeWorker 1',
    'resumeWorker 2',
    'drainWorker 3',
    'arm drain 30000',
    'drainWorker 4',
    'arm drain 30000',
    'introduce 3 1',
    'introduce 3 2',
    'introduce 4 2',
    'introduce 4 1',
  ]);
  expect(effects).toContainEqual({
    type: 'announce',
    event: { event: 'generationRolledBack', generation: 2, to: 1, durationMs: 600, remaining: 0, failure },
  });
  expect(it.program).toMatchObject({ phase: 'serving', current: { number: 1 } });
});

test('a verdict that is late changes nothing: of another generation, or after the probation', () => {
  const it = serving(1, { probationMs: 60_000 });
  it.send({ type: 'reloadRequested', at: 200, cause: 'signal' });
  it.send({ type: 'workerSpawned', at: 201, worker: 2, pid: 1_002, isGated: true });
  it.ready(300, 2);
  expect(it.send({ type: 'generationFoundBad', at: 900, generation: 1, failure })).toEqual([]);
  it.send({ type: 'probationElapsed', at: 60_300 });
  expect(it.send({ type: 'generationFoundBad', at: 60_301, generation: 2, failure })).toEqual([]);
});
