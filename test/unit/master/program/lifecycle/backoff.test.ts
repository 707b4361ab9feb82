import { expect, test } from 'vitest';
import {
  backoffMs,
  countedFailures,
  defaultBackoff,
} from '../../../../../src/master/program/lifecycle/backoff.ts';

test.each([
  [0, 0],
  [1, 1_000],
  [2, 2_000],
  [3, 4_000],
  [5, 16_000],
  [6, 30_000],
  [60, 30_000],
  [5_000, 30_000],
])('after %i failures in a row the next start waits %i ms', (failures, expected) => {
  expect(backoffMs(failures, defaultBackoff, { generation: 1, slot: 0 })).toBe(expected);
});

test.each([
  ['was never ready', null, 100_000, 4],
  ['was ready for 29.999 s', 1_000, 30_999, 4],
  ['was ready for 30 s', 1_000, 31_000, 0],
])('a worker that %s leaves the count as it should be', (_title, readyAt, endedAt, expected) => {
  expect(countedFailures(4, readyAt, endedAt, defaultBackoff)).toBe(expected);
});
