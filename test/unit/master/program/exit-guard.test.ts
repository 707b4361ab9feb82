import { expect, test } from 'vitest';
import type { ExitProgress } from '../../../../src/master/process/exit-progress.ts';
import { guardExit } from '../../../../src/master/program/exit-guard.ts';

const waiting: ExitProgress = { startedAt: 5, cpuTicks: 10, waitsForThread: true };

/** What is done when the looks find these one after the other; then no process is left. */
function told(...looks: readonly (ExitProgress | null)[]): readonly string[] {
  const done: string[] = [];
  // Once when the watch begins.
  const left = [waiting, ...looks];
  const due: (() => void)[] = [];
  guardExit(
    7,
    {
      platform: {
        arm: (delayMs, callback) => {
          done.push(`look in ${delayMs}`);
          due.push(callback);
          return () => undefined;
        },
        signalProcess: (pid, signal) => done.push(`${signal} ${pid}`),
      },
      progressOf: () => left.shift() ?? null,
    },
    (waitedMs) => done.push(`hung for ${waitedMs}`),
  );
  for (let next = due.shift(); next !== undefined; next = due.shift()) next();
  return done;
}

test('one that waits for its own threads at two looks in a row is killed', () => {
  expect(told(waiting, waiting)).toEqual(['look in 2000', 'look in 1000', 'hung for 3000', 'SIGKILL 7']);
});

test('one that has ended by the first look is not looked at again', () => {
  expect(told(null)).toEqual(['look in 2000']);
});

test.each([
  ['uses the CPU', [waiting, { ...waiting, cpuTicks: 11 }]],
  [
    'waits for something else',
    [
      { ...waiting, waitsForThread: false },
      { ...waiting, waitsForThread: false },
    ],
  ],
  ['has only begun to wait', [{ ...waiting, waitsForThread: false }, waiting]],
])('one that %s is left alone, and looked at again', (_, looks) => {
  expect(told(...looks)).toEqual(['look in 2000', 'look in 1000', 'look in 1000']);
});

test('a later process with the same pid is left alone', () => {
  expect(told({ ...waiting, startedAt: 6 }, { ...waiting, startedAt: 6 })).toEqual(['look in 2000']);
  expect(told(waiting, { ...waiting, startedAt: 6 })).toEqual(['look in 2000', 'look in 1000']);
});
