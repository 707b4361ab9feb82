import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from '../../../src/shared/printable.ts';

test('text cannot turn its own direction, or end a line where some programs do', () => {
  expect(printable('a\u202Eb\u2028c\u2029d\u2066e\u0085f')).toBe('abcdef');
});

test('printable text has no control character left, and keeps everything else', () => {
  expect(printable('\u001B[31mréd\u001B[0m\u001B]0;title\u0007\tx\r')).toBe('réd    x');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/\p{Cc}/u);
    }),
  );
});
