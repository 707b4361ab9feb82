/** The classic BPF program with which the kernel chooses the socket for a new connection. Pure. */
import type { Instruction } from '../system-calls/reuse-port-calls.ts';

const loadWord = 0x20;
const modulo = 0x94;
const jumpIfEqual = 0x15;
const returnValue = 0x06;
const returnAccumulator = 0x16;
/** The address from which BPF loads a random number: SKF_AD_OFF + SKF_AD_RANDOM. */
const randomNumber = 0xff_ff_f0_00 + 56;

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
