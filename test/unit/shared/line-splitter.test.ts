import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineSplitter } from '../../../src/shared/line-splitter.ts';

function split(text: string, cuts: readonly number[], maxLength?: number): { lines: string[]; rest: string } {
  const splitter = createLineSplitter(maxLength);
  const ends = [...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  const lines = ends.flatMap((end, index) => splitter.add(text.slice(ends[index - 1] ?? 0, end)));
  return { lines, rest: splitter.rest() };
}

test('gives every line and the beginning of the next one, wherever the text was cut', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'é', '\r', '\n') }),
      fc.array(fc.nat()),
      (text, cuts) => {
        const lines = text.split('\n');
        const rest = lines.pop();
        expect(split(text, cuts)).toEqual({ lines, rest });
      },
    ),
  );
});

test('cuts a line that is too long, returns it once, and goes on behind it', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), (cuts) => {
      expect(split(`one\n${'x'.repeat(50)}\ntwo\n`, cuts, 10)).toEqual({
        lines: ['one', 'x'.repeat(10), 'two'],
        rest: '',
      });
    }),
  );
});

test('returns a line that is too long before it ends, and keeps nothing of it', () => {
  const splitter = createLineSplitter(10);
  expect(splitter.add('x'.repeat(10))).toEqual(['x'.repeat(10)]);
  expect(splitter.add('x'.repeat(1_000))).toEqual([]);
  expect(splitter.rest()).toBe('');
});
