import { expect, test } from 'vitest';
import { kinds, serving, type Drive } from '../../../../helpers/lifecycle.ts';

function reload(it: Drive, at: number, workers: readonly number[]): readonly string[] {
  it.send({ type: 'reloadRequested', at, cause: 'signal' });
  for (const worker of workers) {
    it.send({ type: 'workerSpawned', at: at + 1, worker, pid: 1_000 + worker, isGated: true });
    it.ready(at + 100, worker);
  }
  return workers.flatMap((worker) =>
    introduced(it, { type: 'workerTakesConnections', at: at + 150, worker }),
  );
}

function introduced(it: Drive, input: Parameters<Drive['send']>[0]): readonly string[] {
  return kinds(it.send(input)).filter((kind) => kind.startsWith('introduce'));
}

test('a draining worker is introduced to those that serve after it, each pair once', () => {
  const it = serving();
  expect(reload(it, 1_000, [2])).toEqual(['introduce 1 2']);
  expect(kinds(it.ready(1_200, 2))).toEqual([]);
  expect(introduced(it, { type: 'workerTakesConnections', at: 1_200, worker: 2 })).toEqual([]);
});

test('each is told of how many it will still hear: of those, too, that do not adopt yet', () => {
  const it = serving(2);
  it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
  for (const worker of [3, 4, 5, 6]) {
    if (worker > 4) it.send({ type: 'workerCountRequested', at: 1_000, change: 1 });
    it.send({ type: 'workerSpawned', at: 1_001, worker, pid: 1_000 + worker, isGated: true });
  }
  for (const worker of [3, 4, 5, 6]) it.ready(1_100, worker);
  const more = (worker: number): readonly number[] =>
    it
      .send({ type: 'workerTakesConnections', at: 1_150, worker })
      .flatMap((effect) => (effect.type === 'introduce' && effect.source === 1 ? [effect.more] : []));
  expect([3, 5, 4, 6].flatMap(more)).toEqual([3, 2, 1, 0]);
});

test('one that adopts already is introduced as soon as there is somebody who drains', () => {
  const it = serving(2);
  it.send({ type: 'workerTakesConnections', at: 200, worker: 1 });
  it.send({ type: 'workerTakesConnections', at: 200, worker: 2 });
  expect(introduced(it, { type: 'workerCountRequested', at: 1_000, change: -1 })).toEqual(['introduce 2 1']);
});

test('one that still drains at the next reload is introduced to the newest generation', () => {
  const it = serving();
  reload(it, 1_000, [2]);
  expect(reload(it, 2_000, [3])).toEqual(['introduce 1 3', 'introduce 2 3']);
});

test('the replacement of a crashed worker takes its place', () => {
  const it = serving();
  reload(it, 1_000, [2]);
  const failure = { reason: 'exited', message: 'it exited', hint: null, errorCode: null } as const;
  const outcome = { code: 1, signal: null };
  const end = {
    outcome,
    failure: { ...failure, outcome, stderrTail: [] },
    served: null,
    migrated: null,
    drained: null,
    cut: null,
    cleanUpsCut: 0,
  };
  expect(introduced(it, { type: 'workerEnded', at: 1_300, worker: 2, end })).toEqual([]);
  it.send({ type: 'restartDue', at: 1_300, generation: 2, slot: 0 });
  it.send({ type: 'workerSpawned', at: 1_301, worker: 3, pid: 1_003, isGated: true });
  expect(kinds(it.ready(1_400, 3)).filter((kind) => kind.startsWith('introduce'))).toEqual([]);
  expect(introduced(it, { type: 'workerTakesConnections', at: 1_450, worker: 3 })).toEqual(['introduce 1 3']);
});

test('of many workers each is introduced to eight, and each takes from as many', () => {
  const it = serving(12);
  const pairs = reload(
    it,
    1_000,
    Array.from({ length: 12 }, (_, index) => 13 + index),
  ).map((kind) => kind.split(' '));
  const count = (at: number, id: string): number => pairs.filter((pair) => pair[at] === id).length;
  expect(pairs).toHaveLength(96);
  for (let id = 1; id <= 12; id += 1) expect(count(1, String(id))).toBe(8);
  for (let id = 13; id <= 24; id += 1) expect(count(2, String(id))).toBe(8);
});

test('nobody is introduced at a stop, nor when connections are not to move', () => {
  const stopped = serving();
  expect(introduced(stopped, { type: 'stopRequested', at: 1_000, cause: 'signal' })).toEqual([]);
  expect(reload(serving(1, {}, { isGated: true, migrates: false, reports: true }), 1_000, [2])).toEqual([]);
});
