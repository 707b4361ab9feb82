/**
 * A queue of whole lines that wait to be written to a log file. It knows how many of them fit into the rest of the file. Pure, except for the bytes that
 * it holds.
 */
import { endOfLine, endOfWholeLines } from './newlines.ts';

export interface LogQueue {
  /** How many bytes wait. */
  readonly bytes: number;
  add(bytes: Uint8Array): void;
  /** The length of the first waiting line in bytes; 0 if nothing waits. */
  firstLineBytes(): number;
  /**
   * Takes out whole lines: at most `roomBytes`, and about `batchBytes`. The first line is taken even if it is longer. A part of a line that has not ended
   * counts as a line.
   */
  take(roomBytes: number, batchBytes: number): readonly Uint8Array[];
}

/** How many pieces are taken at once. writev(2) accepts at most 1024. */
const maxPieces = 512;

export function createLogQueue(): LogQueue {
  let pieces: Uint8Array[] = [];
  let bytes = 0;

  const firstLineBytes = (): number => {
    const [first] = pieces;
    return first === undefined ? 0 : endOfLine(first, 0);
  };

  return {
    get bytes() {
      return bytes;
    },
    add(piece) {
      if (piece.length === 0) return;
      pieces.push(piece);
      bytes += piece.length;
    },
    firstLineBytes,
    take(roomBytes, batchBytes) {
      const most = Math.max(Math.min(roomBytes, batchBytes), firstLineBytes());
      const taken: Uint8Array[] = [];
      let takenBytes = 0;
      for (const piece of pieces) {
        if (taken.length === maxPieces || takenBytes + piece.length > most) break;
        taken.push(piece);
        takenBytes += piece.length;
      }
      const rest = pieces.slice(taken.length);
      const [next] = rest;
      // A piece may have many lines, of which some fit.
      const end =
        next === undefined || taken.length === maxPieces ? 0 : endOfWholeLines(next, most - takenBytes);
      if (next !== undefined && end > 0) {
        taken.push(next.subarray(0, end));
        rest[0] = next.subarray(end);
        takenBytes += end;
      }
      pieces = rest;
      bytes -= takenBytes;
      return taken;
    },
  };
}
