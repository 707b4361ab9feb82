import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  align,
  cutEnd,
  cutMiddle,
  cutStart,
  padEnd,
  padStart,
  widthOf,
} from '../../../../src/ctl/show/columns.ts';

test.each([
  ['abcdef', 'abc…', '…def', 'ab…f'],
  ['abcd', 'abcd', 'abcd', 'abcd'],
  // Two columns each.
  ['日本語', '日…', '…語', '日…'],
  // An accent of its own, and a family of four: one character each.
  [
    'e\u0301e\u0301e\u0301e\u0301e\u0301',
    'e\u0301e\u0301e\u0301…',
    '…e\u0301e\u0301e\u0301',
    'e\u0301e\u0301…e\u0301',
  ],
  ['👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦', '👨‍👩‍👧‍👦…', '…👨‍👩‍👧‍👦', '👨‍👩‍👧‍👦…'],
])('%s is cut to four columns at its end, at its start and in the middle', (text, end, start, middle) => {
  expect([cutEnd(text, 4), cutStart(text, 4), cutMiddle(text, 4)]).toEqual([end, start, middle]);
});

test('wide characters take the room of two when a column is filled up', () => {
  expect(padEnd('日本', 6)).toBe('日本  ');
  expect(padStart('日本', 6)).toBe('  日本');
  expect(
    align([
      ['日本', 'x'],
      ['abcde', 'y'],
    ]),
  ).toEqual(['日本   x', 'abcde  y']);
});

test('what is cut is never wider than it may be, and what fits is left alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (text, width) => {
      for (const cut of [cutEnd, cutStart, cutMiddle]) {
        const result = cut(text, width);
        expect(widthOf(result)).toBeLessThanOrEqual(width);
        if (widthOf(text) <= width) expect(result).toBe(text);
      }
    }),
  );
});
