import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineReader } from '../../../../src/master/output/line-reader.ts';

function read(text: string, cuts: readonly number[], maxBytes = 1_000): { lines: string[]; tooLong: number } {
  const result = { lines: [] as string[], tooLong: 0 };
  const reader = createLineReader(
    maxBytes,
    (line) => result.lines.push(line),
    () => (result.tooLong += 1),
  );
  const bytes = Buffer.from(text);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  let start = 0;
  for (const end of ends) {
    reader.add(bytes.subarray(start, end));
    start = end;
  }
  return result;
}

test('gives every line, wherever the bytes were cut, in the middle of a character too', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\n'))),
      fc.array(fc.nat()),
      (lines, cuts) => {
        const text = lines.map((line) => `${line}\n`).join('');
        const expected = Buffer.from(text).toString('utf8').split('\n').slice(0, -1);
        expect(read(text, cuts).lines).toEqual(expected);
      },
    ),
  );
});

test('passes over a line that is too long, says so once, and goes on behind it', () => {
  expect(read(`one\n${'x'.repeat(50)}\ntwo\n`, [3, 10, 20, 30], 10)).toEqual({
    lines: ['one', 'two'],
    tooLong: 1,
  });
});
