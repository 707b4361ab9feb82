import { expect, test } from 'vitest';
import {
  areOlderWorkersLeft,
  emptyHistory,
  type History,
  remember,
} from '../../../../../src/master/program/history/history.ts';
import type { MasterEvent } from '../../../../../src/shared/events.ts';
import { failure } from '../../../../helpers/lifecycle.ts';

const serves = (generation: number): MasterEvent => ({
  event: 'generationReady',
  generation,
  durationMs: 5,
  release: null,
  probationMs: 0,
});
const fails = (generation: number, pid: number): MasterEvent => ({
  event: 'workerFailed',
  generation,
  slot: 1,
  pid,
  from: 'ready',
  to: 'exited',
  durationMs: 5,
  failure,
});

/** A history that a test goes on with. */
function remembering(): {
  observe(event: MasterEvent, wallMs: number): void;
  last(): History['lastCrash'];
} {
  let history = emptyHistory;
  return {
    observe(event, wallMs) {
      history = remember(history, event, wallMs);
    },
    last: () => history.lastCrash,
  };
}

test('a worker of the generation that serves has crashed last, until another one does', () => {
  const crashes = remembering();
  expect(crashes.last()).toBe(null);
  crashes.observe(serves(1), 10);
  crashes.observe(fails(1, 77), 20);
  expect(crashes.last()).toEqual({ generation: 1, slot: 1, pid: 77, endedAt: 20, failure });
  crashes.observe(fails(1, 78), 30);
  crashes.observe(serves(2), 40);
  expect(crashes.last()).toMatchObject({ generation: 1, pid: 78, endedAt: 30 });
});

test('a worker of a generation that has yet to prove itself is no crash: its reload has failed', () => {
  const crashes = remembering();
  crashes.observe(fails(1, 76), 5);
  crashes.observe(serves(1), 10);
  crashes.observe(fails(2, 77), 20);
  expect(crashes.last()).toBe(null);
});

test('a worker of the generation before that crashes while it drains, or waits to, has crashed', () => {
  const crashes = remembering();
  crashes.observe(serves(1), 10);
  crashes.observe(serves(2), 20);
  crashes.observe(fails(1, 77), 30);
  expect(crashes.last()).toMatchObject({ generation: 1, pid: 77, endedAt: 30 });
  const ends = (code: number): MasterEvent => ({
    event: 'workerExited',
    generation: 1,
    slot: 0,
    pid: 78,
    from: 'draining',
    to: 'exited',
    durationMs: 5,
    outcome: { code, signal: null },
    served: 1,
    migrated: 0,
    drained: 0,
    cut: 1,
    cleanUpsCut: 0,
    failure: code === 0 ? null : { ...failure, outcome: { code, signal: null } },
  });
  crashes.observe(ends(0), 40);
  expect(crashes.last()).toMatchObject({ pid: 77 });
  crashes.observe(ends(1), 50);
  expect(crashes.last()).toMatchObject({ pid: 78, endedAt: 50, failure: { outcome: { code: 1 } } });
});

test('a worker is known from its start to its end', () => {
  const change = { slot: 0, from: null, to: 'starting', durationMs: 0 } as const;
  const started = [1, 2].reduce(
    (history, generation) =>
      remember(history, { event: 'workerStarted', ...change, generation, pid: 10 + generation }, 0),
    emptyHistory,
  );
  expect(areOlderWorkersLeft(started, 2)).toBe(true);
  const ended = remember(started, fails(1, 11), 0);
  expect(ended.workers.map(({ pid }) => pid)).toEqual([12]);
  expect(areOlderWorkersLeft(ended, 2)).toBe(false);
});
