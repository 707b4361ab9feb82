import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scanLines } from '../../../../src/master/output/scan-lines.ts';

/** The same byte by byte, with strings. */
function scanSlowly(bytes: Uint8Array): ReturnType<typeof scanLines> {
  const text = Buffer.from(bytes).toString('latin1');
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const isSpecial = (character: string): boolean =>
    character !== '\n' && JSON.stringify(character) !== `"${character}"`;
  let end = 0;
  const marks = lines.map((line) => {
    end += line.length;
    return 2 * end + (Array.from(line).some(isSpecial) ? 1 : 0);
  });
  return { marks, escapes: Array.from(text).filter(isSpecial).length };
}

test('ends of lines and bytes to escape are found wherever the bytes begin in memory', () => {
  const near = fc.constantFrom(
    0,
    9,
    10,
    13,
    27,
    31,
    32,
    33,
    34,
    35,
    91,
    92,
    93,
    97,
    127,
    128,
    138,
    162,
    220,
    255,
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(near, fc.integer({ min: 0, max: 255 })), { maxLength: 80 }),
      fc.integer({ min: 0, max: 3 }),
      (numbers, offset) => {
        const memory = new Uint8Array(offset + numbers.length);
        memory.set(numbers, offset);
        const bytes = memory.subarray(offset);
        expect(scanLines(bytes)).toEqual(scanSlowly(bytes));
      },
    ),
    { numRuns: 2_000 },
  );
});
