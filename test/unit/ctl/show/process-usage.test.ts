import { expect, test } from 'vitest';
import { type Look, usageOf } from '../../../../src/ctl/show/process-usage.ts';
import { workerProcesses } from '../../../../src/shared/worker-usage.ts';
import type { ProcessStat } from '../../../../src/shared/process-stat.ts';
import { programStatus } from '../../../helpers/example-programs.ts';

// The only worker of the example has pid 4242, its master 77.
const status = programStatus('shop');

function process(pid: number, parent: number, facts: Partial<ProcessStat> = {}): ProcessStat {
  return {
    pid,
    parent,
    state: 'S',
    group: pid,
    session: 1,
    terminal: 0,
    threads: 1,
    cpuTicks: 0,
    childTicks: 0,
    startedAt: 1,
    ...facts,
  };
}

function look(atMs: number, ...processes: readonly ProcessStat[]): Look {
  return { atMs, processes };
}

test('a worker counts with its descendants and its session, whatever their order', () => {
  const processes = [
    process(9, 8),
    process(8, 4242),
    process(4242, 77),
    process(10, 1, { session: 4242 }),
    process(11, 10),
    process(12, 77),
    process(13, 1),
  ];
  expect(
    workerProcesses(status, processes)
      .map(({ pid }) => pid)
      .sort((one, other) => one - other),
  ).toEqual([8, 9, 10, 11, 4242]);
});

test('a process that has the pid of a worker but is no child of the master is another one', () => {
  expect(workerProcesses(status, [process(4242, 1)])).toEqual([]);
  expect(usageOf(status, look(0), look(250, process(4242, 1)))).toBe(null);
});

test('a daemon that the master has not started counts, if the master itself is seen', () => {
  const daemon = process(4242, 1);
  const { master } = status;
  // In clock ticks, of which a second has 100.
  const seen = process(master.pid, 1, { startedAt: 500_000 - master.uptimeMs / 10 });
  const found = (one: ProcessStat): readonly number[] =>
    workerProcesses(status, [one, daemon], 5_000_000).map(({ pid }) => pid);
  expect(found(seen)).toEqual([4242]);
  expect(found({ ...seen, startedAt: seen.startedAt - 400 })).toEqual([]);
});

test('a zombie has no memory and is not counted', () => {
  expect(workerProcesses(status, [process(4242, 77, { state: 'Z' })])).toEqual([]);
});

test('CPU is what was used between the two looks, 100 for a whole core', () => {
  const first = look(0, process(4242, 77, { cpuTicks: 1_000 }), process(8, 4242, { cpuTicks: 50 }));
  const second = look(
    250,
    process(4242, 77, { cpuTicks: 1_025 }),
    // Started since the first look, with a pid that another process had then.
    process(8, 4242, { cpuTicks: 5, startedAt: 2 }),
  );
  expect(usageOf(status, first, second)?.cpuPercent).toBe(120);
});
