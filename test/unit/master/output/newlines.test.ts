import { expect, test } from 'vitest';
import {
  afterNewline,
  countLines,
  endOfContent,
  endOfLine,
  endOfWholeLines,
} from '../../../../src/master/output/newlines.ts';

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

test.for([
  ['one\ntwo\nthr', 11, 8],
  ['one\ntwo\nthr', 8, 8],
  ['one\ntwo\nthr', 7, 4],
  ['one\ntwo\nthr', 3, 0],
  ['\n', 1, 1],
  ['\n', 0, 0],
  ['\n', -1, 0],
  ['one\n', 100, 4],
  ['', 0, 0],
] as const)('the whole lines among the first bytes: %j, %d bytes', ([text, length, end]) => {
  expect(endOfWholeLines(Buffer.from(text), length)).toBe(end);
  expect(endOfWholeLines(new Uint8Array(Buffer.from(text)), length)).toBe(end);
});

test('the first newline from an index on', () => {
  const bytes = Buffer.from('one\ntwo\nthr');
  expect([0, 3, 4, 8].map((start) => afterNewline(bytes, start))).toEqual([4, 4, 8, 0]);
});
