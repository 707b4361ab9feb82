import { expect, test } from 'vitest';
import { findTree } from '../../../../src/master/process/process-tree.ts';
import type { ProcessStat } from '../../../../src/shared/process-stat.ts';

const master = { pid: 100, session: 50 };

function stat(pid: number, parent: number, session: number): ProcessStat {
  return {
    pid,
    parent,
    session,
    group: session,
    state: 'S',
    terminal: 0,
    threads: 1,
    cpuTicks: 0,
    childTicks: 0,
    startedAt: pid,
  };
}

function pidsOf(roots: Parameters<typeof findTree>[0], all: readonly ProcessStat[]): readonly number[] {
  return findTree(roots, all, master)
    .map(({ pid }) => pid)
    .sort((one, other) => one - other);
}

test('a tree is found through sessions of its own, whatever the order in which the processes are listed', () => {
  const all = [stat(204, 203, 203), stat(203, 202, 203), stat(202, 200, 200), stat(200, 100, 200)];
  expect(pidsOf({ pids: [200], sessions: [200] }, all)).toEqual([200, 202, 203, 204]);
});

test('a process whose parent has died is found by a session of the tree', () => {
  const all = [stat(200, 100, 200), stat(205, 1, 200), stat(206, 205, 206), stat(207, 1, 206)];
  expect(pidsOf({ pids: [200], sessions: [200] }, all)).toEqual([200, 205, 206, 207]);
});

test('the master, its session, other workers and init are never part of a tree', () => {
  const all = [stat(1, 0, 1), stat(100, 1, 50), stat(60, 1, 50), stat(200, 100, 200), stat(300, 100, 300)];
  expect(pidsOf({ pids: [200], sessions: [200] }, all)).toEqual([200]);
  expect(pidsOf({ pids: [60], sessions: [] }, all)).toEqual([60]);
});

test('a session that another process leads, such as a shell, is not part of the tree of a daemon that was started in it', () => {
  const shell = [stat(70, 1, 70), stat(71, 70, 70)];
  const daemon = [stat(80, 70, 70), stat(81, 80, 70), stat(82, 81, 82)];
  expect(pidsOf({ pids: [80], sessions: [] }, [...shell, ...daemon])).toEqual([80, 81, 82]);
  // Its shell has ended.
  expect(pidsOf({ pids: [80], sessions: [] }, [...daemon, stat(83, 1, 70)])).toEqual([80, 81, 82, 83]);
});
