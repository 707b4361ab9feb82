/** Where lines end, in bytes. Pure. */

export const newline = 0x0a;
const carriageReturn = 0x0d;

export function countLines(pieces: readonly Uint8Array[]): number {
  let lines = 0;
  for (const piece of pieces)
    for (let at = piece.indexOf(newline); at !== -1; at = piece.indexOf(newline, at + 1)) lines += 1;
  return lines;
}

// Two functions instead of a generator of lines: that would cost a tenth of the throughput, or a fifth.

/** The index after the newline of the line that begins at `start`; after the last byte if it has none. */
export function endOfLine(bytes: Buffer, start: number): number {
  const at = bytes.indexOf(newline, start);
  return at === -1 ? bytes.length : at + 1;
}

/** The index after the last byte of that line that is not its end, `\n` or `\r\n`. `end` is what `endOfLine()` has returned for it. */
export function endOfContent(bytes: Buffer, start: number, end: number): number {
  const at = bytes[end - 1] === newline ? end - 1 : end;
  return at > start && bytes[at - 1] === carriageReturn ? at - 1 : at;
}
