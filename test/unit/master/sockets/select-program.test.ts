import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rejoined, selectOneOf, selectSocket } from '../../../../src/master/sockets/select-program.ts';
import type { Instruction } from '../../../../src/master/system-calls/reuse-port-calls.ts';

/** What the kernel does with these instructions. `packet`: from its IP header on. */
function run(program: readonly Instruction[], random: number, packet = new Uint8Array(60)): number {
  let accumulator = 0;
  const view = new DataView(packet.buffer, packet.byteOffset);
  for (let at = 0; ; at += 1) {
    const { code, ifTrue = 0, ifFalse = 0, value } = program[at] ?? { code: -1, value: 0 };
    const inHeader = value - 0xff_f0_00_00;
    if (code === 0x20) accumulator = value >= 0xff_ff_f0_00 ? random : view.getUint32(inHeader);
    else if (code === 0x28) accumulator = view.getUint16(inHeader);
    else if (code === 0x30) accumulator = view.getUint8(inHeader);
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

test('a socket that leaves the group and joins it again is the last one, and the last one took its place', () => {
  expect(rejoined([0, 1, 2, 3], [1], [1])).toEqual([0, 3, 2, 1]);
  expect(rejoined([0, 1, 2, 3], [3], [3])).toEqual([0, 1, 2, 3]);
  expect(rejoined([0, 3, 2, 1], [0, 2], [0, 2])).toEqual([1, 3, 0, 2]);
  expect(rejoined([0], [0], [0])).toEqual([0]);
  expect(rejoined([0, 1, 2], [0, 1], [1])).toEqual([2, 1]);
});

/** The first packet of a connection. */
function syn(address: readonly number[], port: number): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(60);
  if (address.length === 4) {
    packet[0] = 0x45;
    packet.set(address, 12);
    packet.set([port >> 8, port & 255], 20);
  } else {
    packet[0] = 0x60;
    packet[6] = 6;
    packet.set(address, 8);
    packet.set([port >> 8, port & 255], 40);
  }
  return packet;
}

test.each([
  [
    [127, 0, 0, 1],
    [127, 0, 0, 2],
  ],
  [
    [...Array<number>(15).fill(0), 1],
    [...Array<number>(15).fill(0), 2],
  ],
  [[127, 0, 0, 1], Array<number>(16).fill(1)],
])(
  'a connection from a chosen address and port gets its own socket, and any other one is spread',
  (own, other) => {
    const steered = [
      { source: { address: Uint8Array.from(own), port: 50_000 }, index: 7 },
      { source: { address: Uint8Array.from(own), port: 50_001 }, index: 8 },
    ];
    const program = selectSocket([1, 3], steered);
    expect(run(program, 0, syn(own, 50_000))).toBe(7);
    expect(run(program, 0, syn(own, 50_001))).toBe(8);
    for (const packet of [syn(own, 50_002), syn(other, 50_000), syn(other, 50_001)]) {
      expect(run(program, 0, packet)).toBe(1);
      expect(run(program, 1, packet)).toBe(3);
    }
  },
);
