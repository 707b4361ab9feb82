/** The classic BPF program with which the kernel chooses the socket for a new connection, and the indices of sockets to which it refers. Pure. */
import type { Instruction } from '../system-calls/reuse-port-calls.ts';

const loadWord = 0x20;
const loadHalfWord = 0x28;
const loadByte = 0x30;
const modulo = 0x94;
const jumpIfEqual = 0x15;
const returnValue = 0x06;
const returnAccumulator = 0x16;
/** The address from which BPF loads a random number: SKF_AD_OFF + SKF_AD_RANDOM. */
const randomNumber = 0xff_ff_f0_00 + 56;
/** The address of the packet's IP header: SKF_NET_OFF. */
const ipHeader = 0xff_f0_00_00;

/** The client of one connection: the bytes of its address, 4 or 16, and its port. */
export interface Source {
  readonly address: Uint8Array;
  readonly port: number;
}

/**
 * The program that chooses one of `indices` as selectOneOf() does, except that a connection from one of these sources gets the socket with that
 * index.
 */
export function selectSocket(
  indices: readonly number[],
  steered: readonly { readonly source: Source; readonly index: number }[],
): readonly Instruction[] {
  return [...steered.flatMap(({ source, index }) => fromSource(source, index)), ...selectOneOf(indices)];
}

/** Returns `index` if the packet comes from the source: an IP header without options, and then the port. Otherwise the program goes on after these instructions. */
function fromSource({ address, port }: Source, index: number): readonly Instruction[] {
  const words = Array.from({ length: address.length / 4 }, (_, at) =>
    new DataView(address.buffer, address.byteOffset).getUint32(at * 4),
  );
  const conditions: readonly (readonly [code: number, at: number, value: number])[] =
    address.length === 4
      ? [[loadByte, 0, 0x45], ...words.map((word) => [loadWord, 12, word] as const), [loadHalfWord, 20, port]]
      : [
          [loadByte, 0, 0x60],
          [loadByte, 6, tcp],
          ...words.map((word, at) => [loadWord, 8 + 4 * at, word] as const),
          [loadHalfWord, 40, port],
        ];
  return [
    ...conditions.flatMap(([code, at, value], condition): readonly Instruction[] => [
      { code, value: ipHeader + at },
      { code: jumpIfEqual, ifFalse: 2 * (conditions.length - condition) - 1, value },
    ]),
    { code: returnValue, value: index },
  ];
}

/** The number of TCP among the protocols of IP. */
const tcp = 6;

/** The program that chooses one of these indices (at least one; in rising order) at random, all with the same probability. */
export function selectOneOf(indices: readonly number[]): readonly Instruction[] {
  const random: readonly Instruction[] = [
    { code: loadWord, value: randomNumber },
    { code: modulo, value: indices.length },
  ];
  // In the usual case, all sockets are chosen from.
  if (indices.every((index, at) => index === at)) return [...random, { code: returnAccumulator, value: 0 }];
  const [last = 0] = indices.slice(-1);
  return [
    ...random,
    ...indices.slice(0, -1).flatMap((index, at): readonly Instruction[] => [
      { code: jumpIfEqual, ifFalse: 1, value: at },
      { code: returnValue, value: index },
    ]),
    { code: returnValue, value: last },
  ];
}

/**
 * The order of a kernel's group after the sockets `shut` have left it, one after the other, and those in `open` have joined it again. The last socket of a
 * group takes the index of one that leaves, and one that joins is the last.
 */
export function rejoined(
  group: readonly number[],
  shut: readonly number[],
  open: readonly number[],
): readonly number[] {
  const left = [...group];
  for (const queue of shut) {
    const at = left.indexOf(queue);
    const last = at === -1 ? undefined : left.pop();
    if (last !== undefined && last !== queue) left[at] = last;
  }
  return [...left, ...open];
}
