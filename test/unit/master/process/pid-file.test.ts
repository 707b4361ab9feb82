import { expect, test } from 'vitest';
import { parsePid } from '../../../../src/master/process/pid-file.ts';

test.each([
  ['123', 123],
  ['123\n', 123],
  ['  42 \n\n', 42],
  ['', null],
  ['0\n', null],
  ['-1\n', null],
  ['12 13\n', null],
  ['1e3\n', null],
  ['0x10\n', null],
  ['99999999999\n', null],
  ['4294967296', null],
  ['pid: 5\n', null],
])('%j holds %j', (text, pid) => {
  expect(parsePid(text)).toBe(pid);
});
