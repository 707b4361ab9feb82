import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/shared/durations.ts';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5s', 1_500],
  ['2m', 120_000],
  ['1h', 3_600_000],
  [' 2s ', 2_000],
  ['30', null],
  ['-1s', null],
  ['1d', null],
  ['s', null],
  ['', null],
])('%j is %j ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  [0, '0ms'],
  [999.4, '999ms'],
  [1_500, '1.5s'],
  [30_000, '30s'],
  [90_000, '90s'],
  [120_000, '2m'],
])('%d ms is written %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
