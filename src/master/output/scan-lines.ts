/** Finds the ends of lines, and the lines that JSON does not write as they are, in one pass over the bytes. Pure. */
import { newline } from './newlines.ts';

export interface ScannedLines {
  /** Of each line, twice the index after its newline (after the last byte if it has none), and one more if it has a byte that JSON escapes. */
  readonly marks: readonly number[];
  /** How many bytes are to be escaped. */
  readonly escapes: number;
}

/** How JSON writes each byte in a string. 0: unchanged; `u`: as \u00XX; otherwise as a backslash with this character. */
export const escapeLetters: Uint8Array = new Uint8Array(256).fill('u'.charCodeAt(0), 0, 0x20);
for (const [character, letter] of ['""', '\\\\', '\bb', '\tt', '\ff', '\rr'].map((pair) => Buffer.from(pair)))
  escapeLetters[character ?? 0] = letter ?? 0;

const wordBytes = 4;
const noWords: Int32Array = new Int32Array();

/**
 * Looks at four bytes at a time, and at each of them only if one is special: a newline, or a byte that JSON escapes. One by one takes two to three times
 * as long.
 */
export function scanLines(bytes: Uint8Array): ScannedLines {
  const marks: number[] = [];
  let escapes = 0;
  let isEscaped = 0;
  const { length } = bytes;

  const look = (from: number, to: number): void => {
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === newline) {
        marks.push(2 * (at + 1) + isEscaped);
        isEscaped = 0;
      } else if (escapeLetters[byte] !== 0) {
        escapes += 1;
        isEscaped = 1;
      }
    }
  };

  // An Int32Array begins at a multiple of four.
  const first = (wordBytes - (bytes.byteOffset % wordBytes)) % wordBytes;
  const count = Math.max(0, Math.floor((length - first) / wordBytes));
  const words = count === 0 ? noWords : new Int32Array(bytes.buffer, bytes.byteOffset + first, count);
  look(0, Math.min(first, length));
  for (let index = 0; index < count; index += 1)
    if (isSpecial(words[index] ?? 0)) look(first + wordBytes * index, first + wordBytes * (index + 1));
  look(first + wordBytes * count, length);
  if (length > 0 && bytes[length - 1] !== newline) marks.push(2 * length + isEscaped);
  return { marks, escapes };
}

/** Whether one of the four bytes is below 0x20, a quote or a backslash. (A subtraction borrows from the highest bit of a byte that is too small.) */
function isSpecial(word: number): boolean {
  const quotes = word ^ 0x22222222;
  const backslashes = word ^ 0x5c5c5c5c;
  return (
    ((((word - 0x20202020) & ~word) |
      ((quotes - 0x01010101) & ~quotes) |
      ((backslashes - 0x01010101) & ~backslashes)) &
      0x80808080) !==
    0
  );
}
