import { expect, test } from 'vitest';
import { parseBytes } from '../../../src/shared/byte-sizes.ts';

test.each([
  ['0', 0],
  ['4096', 4_096],
  ['10KB', 10_240],
  ['50MB', 52_428_800],
  ['50mb', 52_428_800],
  ['1.5 GB', 1_610_612_736],
])('%s is %d bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each(['', '-1', '5TB', 'MB', '1e3', '9999999999999GB'])('%j is no size', (text) => {
  expect(parseBytes(text)).toBe(null);
});
