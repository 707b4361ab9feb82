// A worker that drains although nothing in the master has asked it to: it got a signal from elsewhere.
import { expect, test } from 'vitest';
import { crash, drive, kinds, serving } from '../../../../helpers/lifecycle.ts';

const left = { ...crash, outcome: { code: 0, signal: null }, served: 3, migrated: 0, drained: 0, cut: 0 };

test('a worker that says it drains is draining, and its slot is filled at once, without a failure', () => {
  const it = serving(2);
  const effects = it.send({ type: 'workerSaidItDrains', at: 5_000, worker: 1 });
  expect(kinds(effects)).toEqual(['drainWorker 1', 'arm drain 30000', 'arm ready 30000', 'startWorker 3']);
  expect(it.program.workers.map(({ phase }) => phase)).toEqual(['draining', 'ready', 'starting']);
  expect(it.ready(5_100, 3)).toContainEqual({
    type: 'admitWorker',
    worker: 3,
  });
  it.send({ type: 'workerEnded', at: 6_000, worker: 1, end: left });
  expect(it.events()).not.toContain('workerFailed');
  expect(it.events()).not.toContain('restartScheduled');
});

test('it drains with the whole drain timeout, and its connections move to the workers that adopt', () => {
  const it = serving(2);
  for (const worker of [1, 2]) it.send({ type: 'workerTakesConnections', at: 200, worker });
  const effects = it.send({ type: 'workerSaidItDrains', at: 5_000, worker: 1 });
  expect(effects).toContainEqual({
    type: 'drainWorker',
    worker: 1,
    signal: null,
    reason: 'signal',
    timeoutMs: 30_000,
    migrates: true,
  });
  expect(kinds(effects)).toContain('introduce 1 2');
});

test('one that is signalled as soon as it serves is started again with the pauses of one that crashes', () => {
  const it = serving();
  expect(kinds(it.send({ type: 'workerSaidItDrains', at: 200, worker: 1 }))).toContain('startWorker 2');
  it.ready(300, 2);
  const effects = it.send({ type: 'workerSaidItDrains', at: 310, worker: 2 });
  expect(kinds(effects)).toContain('arm restart 1000');
});

test('a worker of a candidate that drains before all are ready is replaced within the candidate', () => {
  const it = drive(2);
  it.send({ type: 'startRequested', at: 0 });
  it.ready(100, 1);
  it.send({ type: 'workerSaidItDrains', at: 110, worker: 1 });
  it.ready(120, 2);
  expect(it.program.phase).toBe('starting');
  it.ready(200, 3);
  expect(it.program.phase).toBe('serving');
});

test('a candidate whose worker drains as soon as it is ready, and the one in its place too, has failed', () => {
  const start = drive(2);
  start.send({ type: 'startRequested', at: 0 });
  start.ready(100, 1);
  start.send({ type: 'workerSaidItDrains', at: 110, worker: 1 });
  start.ready(200, 3);
  start.send({ type: 'workerSaidItDrains', at: 210, worker: 3 });
  expect(start.events()).toContain('generationFailed');

  const reload = serving(2);
  reload.send({ type: 'reloadRequested', at: 5_000, cause: 'signal' });
  reload.ready(5_100, 3);
  reload.send({ type: 'workerSaidItDrains', at: 5_110, worker: 3 });
  reload.ready(5_200, 5);
  reload.send({ type: 'workerSaidItDrains', at: 5_210, worker: 5 });
  expect(reload.events()).toContain('generationFailed');
  expect(reload.program).toMatchObject({ phase: 'serving', current: { number: 1 } });
});

test('a reload, a stop and a second word leave a worker alone that drains by itself', () => {
  const it = serving();
  it.send({ type: 'workerSaidItDrains', at: 5_000, worker: 1 });
  expect(it.send({ type: 'workerSaidItDrains', at: 5_001, worker: 1 })).toEqual([]);
  it.ready(5_100, 2);
  expect(kinds(it.send({ type: 'stopRequested', at: 5_200, cause: 'signal' }))).not.toContain(
    'drainWorker 1',
  );
  expect(it.send({ type: 'workerSaidItDrains', at: 5_300, worker: 2 })).toEqual([]);
});
