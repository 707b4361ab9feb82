import { expect, test } from 'vitest';
import { countLines, endOfContent, endOfLine } from '../../../../src/master/output/newlines.ts';

test('lines are counted by their ends', () => {
  expect(countLines([Buffer.from('one\ntwo\nthr'), Buffer.from('ee\n')])).toBe(3);
});

test.for([
  ['one\ntwo\n', 0, 'one', 4],
  ['one\ntwo\n', 4, 'two', 8],
  ['one\r\ntwo', 0, 'one', 5],
  ['one\r\ntwo', 5, 'two', 8],
  ['one\r', 0, 'one', 4],
  ['\r\n', 0, '', 2],
  ['one\n\r\n', 4, '', 6],
  ['one\n\n', 4, '', 5],
  ['a\rb\n', 0, 'a\rb', 4],
] as const)(
  'a line ends before its newline and a carriage return in front of it: %j at %d',
  ([text, start, content, next]) => {
    const bytes = Buffer.from(text);
    const end = endOfLine(bytes, start);
    expect([bytes.subarray(start, endOfContent(bytes, start, end)).toString(), end]).toEqual([content, next]);
  },
);
