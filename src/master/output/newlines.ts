/** Where lines end, in bytes. Pure. */

export const newline = 0x0a;

export function countLines(pieces: readonly Uint8Array[]): number {
  let lines = 0;
  for (const piece of pieces)
    for (let at = piece.indexOf(newline); at !== -1; at = piece.indexOf(newline, at + 1)) lines += 1;
  return lines;
}
