/** Finds the ends of lines in bytes. Pure. */

export const newline = 0x0a;
const carriageReturn = 0x0d;

export function countLines(pieces: readonly Uint8Array[]): number {
  let lines = 0;
  for (const piece of pieces)
    for (let at = piece.indexOf(newline); at !== -1; at = piece.indexOf(newline, at + 1)) lines += 1;
  return lines;
}

// These are two functions instead of a generator of lines, which would cost a tenth to a fifth of the throughput.

/** The index after the newline of the line that begins at `start`; after the last byte if it has none. */
export function endOfLine(bytes: Uint8Array, start: number): number {
  const at = bytes.indexOf(newline, start);
  return at === -1 ? bytes.length : at + 1;
}

/** The index after the first newline from `start` on; 0 if there is none. */
export function afterNewline(bytes: Uint8Array, start = 0): number {
  return bytes.indexOf(newline, start) + 1;
}

/** The index after the last newline among the first `length` bytes; 0 if there is none. */
export function endOfWholeLines(bytes: Uint8Array, length: number = bytes.length): number {
  return length <= 0 ? 0 : bytes.lastIndexOf(newline, length - 1) + 1;
}

/** The index after the last byte of the line's content, before `\n` or `\r\n`. `end`: the result of `endOfLine()` for the same line. */
export function endOfContent(bytes: Buffer, start: number, end: number): number {
  const at = bytes[end - 1] === newline ? end - 1 : end;
  return at > start && bytes[at - 1] === carriageReturn ? at - 1 : at;
}
