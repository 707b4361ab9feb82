import { expect, test } from 'vitest';
import { hasEnded, parseProcessStat } from '../../../src/shared/process-stat.ts';

function line(state: string, threads: number): string {
  return `42 (a) R 7 (\n b) ${state} 1 2 3 4 0 0 0 0 0 0 30 12 5 2 0 0 ${threads} 0 777 0\n`;
}

test('a name with spaces, parentheses and line ends does not shift the fields', () => {
  expect(parseProcessStat(line('S', 11))).toEqual({
    pid: 42,
    state: 'S',
    parent: 1,
    group: 2,
    session: 3,
    terminal: 4,
    threads: 11,
    cpuTicks: 42,
    childTicks: 7,
    startedAt: 777,
  });
});

test('a zombie has ended when its last thread has: until then its sockets are open', () => {
  expect(hasEnded(parseProcessStat(line('R', 1)))).toBe(false);
  expect(hasEnded(parseProcessStat(line('Z', 11)))).toBe(false);
  expect(hasEnded(parseProcessStat(line('Z', 1)))).toBe(true);
});
