import { expect, test } from 'vitest';
import { noCapabilities, servingGeneration } from '../../../../../src/master/program/lifecycle/state.ts';
import { capabilities, crash, drive, failure, kinds, serving } from '../../../../helpers/lifecycle.ts';

const starts = (effects: Parameters<typeof kinds>[0]): readonly string[] =>
  kinds(effects).filter((kind) => kind.startsWith('startWorker'));

test('a worker without a gate counts as admitted once it is ready, and is asked nothing', () => {
  const it = drive(1, {}, noCapabilities);
  it.send({ type: 'startRequested', at: 0 });
  it.send({ type: 'workerSpawned', at: 1, worker: 1, pid: 1001, isGated: false });
  const effects = it.ready(100, 1);
  expect(servingGeneration(it.program)?.number).toBe(1);
  expect(kinds(effects)).not.toContain('admitWorker 1');
});

test('a previous generation that cannot be paused has no probation: it drains when the new one serves', () => {
  const it = serving(1, { probationMs: 2_000 }, noCapabilities);
  it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
  it.send({ type: 'workerSpawned', at: 1_001, worker: 2, pid: 1002, isGated: true });
  it.send({ type: 'workerSaidReady', at: 1_100, worker: 2, capabilities });
  const effects = it.send({ type: 'workerAdmitted', at: 1_101, worker: 2 });
  expect(it.program.phase).toBe('serving');
  expect(kinds(effects)).toContain('drainWorker 1');
  expect(kinds(effects)).not.toContain('pauseWorker 1');
});

test('a generation of Node.js waits out the probation of one that cannot be gated, and takes over again', () => {
  const it = serving(1, { probationMs: 2_000 });
  it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
  it.send({ type: 'workerSpawned', at: 1_001, worker: 2, pid: 1002, isGated: false });
  const effects = it.send({ type: 'workerSaidReady', at: 1_100, worker: 2, capabilities: noCapabilities });
  expect(kinds(effects)).toContain('pauseWorker 1');
  const crashed = it.send({ type: 'workerEnded', at: 1_200, worker: 2, end: crash });
  expect(kinds(crashed)).toContain('resumeWorker 1');
});

test('connections move neither from nor to a worker that cannot do that', () => {
  const it = serving(1, {}, noCapabilities);
  it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
  it.send({ type: 'workerSpawned', at: 1_001, worker: 2, pid: 1002, isGated: true });
  it.send({ type: 'workerSaidReady', at: 1_100, worker: 2, capabilities });
  const effects = it.send({ type: 'workerAdmitted', at: 1_101, worker: 2 });
  expect(effects).toContainEqual(
    expect.objectContaining({ type: 'drainWorker', worker: 1, migrates: false }),
  );
  expect(kinds(it.send({ type: 'workerTakesConnections', at: 1_150, worker: 2 }))).toEqual([]);
});

test('successors of workers without a gate are started one at a time', () => {
  const it = serving(3, {}, noCapabilities);
  expect(starts(it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' }))).toEqual(['startWorker 4']);
  expect(starts(it.send({ type: 'workerCountRequested', at: 1_050, change: 1 }))).toEqual([]);
  for (const worker of [4, 5, 6])
    expect(starts(it.ready(1_100, worker))).toEqual([`startWorker ${worker + 1}`]);
  expect(it.program.phase).toBe('reloading');
  expect(starts(it.ready(1_400, 7))).toEqual([]);
  expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
});

test('a first generation, and successors of gated workers, are started all at once', () => {
  const first = drive(3, {}, noCapabilities);
  expect(starts(first.send({ type: 'startRequested', at: 0 }))).toHaveLength(3);
  const it = serving(3);
  expect(starts(it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' }))).toHaveLength(3);
});

test('a candidate without a gate that is not ready in time may have accepted: it drains, and is killed last', () => {
  const it = serving(1, {}, noCapabilities);
  it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
  it.send({ type: 'workerSpawned', at: 1_001, worker: 2, pid: 1002, isGated: false });
  const effects = kinds(it.send({ type: 'workerNotReady', at: 31_000, worker: 2, failure, mayAccept: true }));
  expect(effects).toContain('drainWorker 2');
  expect(effects).not.toContain('SIGKILL 2');
  expect(it.program).toMatchObject({ phase: 'serving', current: { number: 1 } });
  expect(it.events()).toContain('generationFailed');
  expect(kinds(it.send({ type: 'drainTimedOut', at: 61_000, worker: 2 }))).toContain('SIGTERM 2');
  expect(kinds(it.send({ type: 'killTimedOut', at: 63_000, worker: 2 }))).toContain('SIGKILL 2');
});

test('a candidate that is not ready in time, and that cannot have accepted, is killed at once', () => {
  const it = serving(1);
  it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
  it.send({ type: 'workerSpawned', at: 1_001, worker: 2, pid: 1002, isGated: false });
  const effects = kinds(
    it.send({ type: 'workerNotReady', at: 31_000, worker: 2, failure, mayAccept: false }),
  );
  expect(effects).toContain('SIGKILL 2');
  expect(it.program).toMatchObject({ phase: 'serving', current: { number: 1 } });
});

test('when a candidate fails, its other workers without a gate drain, the one that is not ready included', () => {
  const it = serving(1);
  it.send({ type: 'workerCountRequested', at: 500, change: { to: 2 } });
  it.ready(600, 2);
  it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
  for (const worker of [3, 4])
    it.send({ type: 'workerSpawned', at: 1_001, worker, pid: 1_000 + worker, isGated: false });
  expect(kinds(it.send({ type: 'workerEnded', at: 1_200, worker: 3, end: crash }))).toContain(
    'drainWorker 4',
  );
});

test('a worker that turns out to be Node.js after it counted as ready is admitted then', () => {
  const it = serving(1, {}, noCapabilities);
  expect(kinds(it.send({ type: 'workerSaidReady', at: 5_000, worker: 1, capabilities }))).toContain(
    'admitWorker 1',
  );
  it.send({ type: 'workerAdmitted', at: 5_001, worker: 1 });
  expect(it.program.workers[0]).toMatchObject({ admission: 'confirmed', capabilities });
  expect(kinds(it.send({ type: 'workerSaidReady', at: 6_000, worker: 1, capabilities }))).toEqual([]);
});

test('a worker that asks for more time to start, or to drain, gets it, up to an hour', () => {
  const it = drive(1, {}, noCapabilities);
  it.send({ type: 'startRequested', at: 0 });
  const ask = (at: number, needsMs: number): readonly string[] =>
    kinds(it.send({ type: 'workerNeedsTime', at, worker: 1, needsMs }));
  expect(ask(1_000, 10_000)).toEqual([]);
  expect(ask(1_000, 60_000)).toEqual(['arm ready 60000']);
  expect(ask(2_000, 30_000)).toEqual([]);
  expect(ask(60_000, 90_000_000)).toEqual(['arm ready 3540000']);
  it.ready(70_000, 1);
  expect(ask(71_000, 60_000)).toEqual([]);
  it.send({ type: 'stopRequested', at: 80_000, cause: 'signal' });
  expect(ask(81_000, 60_000)).toEqual(['arm drain 60000']);
});
