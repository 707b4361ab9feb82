/** Cuts bytes into lines of text, and never holds more than one line of a bounded length. */

export interface LineReader {
  add(bytes: Uint8Array): void;
}

const newline = 0x0a;

/** Calls `line` for each complete line without its end, `tooLong` once for each that has more than `maxBytes`. */
export function createLineReader(
  maxBytes: number,
  line: (text: string) => void,
  tooLong: () => void,
): LineReader {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let isSkipping = false;

  const hold = (piece: Uint8Array): void => {
    if (isSkipping || piece.length === 0) return;
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes <= maxBytes) return;
    isSkipping = true;
    held = [];
    heldBytes = 0;
    tooLong();
  };

  const end = (): void => {
    const bytes = held;
    const wasSkipping = isSkipping;
    held = [];
    heldBytes = 0;
    isSkipping = false;
    if (!wasSkipping) line(Buffer.concat(bytes).toString('utf8'));
  };

  return {
    add: (bytes) => {
      let start = 0;
      for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, start)) {
        hold(bytes.subarray(start, at));
        end();
        start = at + 1;
      }
      hold(bytes.subarray(start));
    },
  };
}
