import fc from 'fast-check';
import { expect, test } from 'vitest';
import { selectOneOf } from '../../../../src/master/sockets/select-program.ts';
import type { Instruction } from '../../../../src/master/system-calls/reuse-port-calls.ts';

/** What the kernel does with these instructions. */
function run(program: readonly Instruction[], random: number): number {
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    const { code, ifTrue = 0, ifFalse = 0, value } = program[at] ?? { code: -1, value: 0 };
    if (code === 0x20) accumulator = random;
    else if (code === 0x94) accumulator %= value;
    else if (code === 0x15) at += accumulator === value ? ifTrue : ifFalse;
    else if (code === 0x06) return value;
    else if (code === 0x16) return accumulator;
    else throw new Error(`instruction ${code} at ${at}`);
  }
}

test('each of the given sockets is chosen equally often, and no other', () => {
  const someIndices = fc.uniqueArray(fc.nat(1023), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(someIndices, fc.nat(2 ** 31), (indices, start) => {
      const sorted = indices.toSorted((one, other) => one - other);
      const chosen = sorted.map((_, turn) => run(selectOneOf(sorted), start + turn));
      expect(chosen.toSorted((one, other) => one - other)).toEqual(sorted);
    }),
  );
});

test('every socket of 1,024 fits into what the kernel takes', () => {
  expect(selectOneOf(Array.from({ length: 1_024 }, (_, at) => at + 1)).length).toBeLessThanOrEqual(4_096);
});
