/**
 * Passes a worker's output on in whole lines, byte for byte, so that the lines of several writers do not mix. A line that is not
 * ended (a prompt, "waiting for the database …") is held for a moment only.
 */
import type { Platform } from '../process/platform.ts';
import { endOfCharacters } from './utf8.ts';
import { afterNewline, endOfWholeLines } from './newlines.ts';

/** A line that has not ended, as plain data. `held`: its beginning, in base64. `isContinued`: a part of it was passed on before that. */
export interface UnendedLine {
  readonly held: string;
  readonly isContinued: boolean;
}

export const noLine: UnendedLine = { held: '', isContinued: false };

export interface LineForwarder {
  add(bytes: Uint8Array): void;
  /** Called at the end of the output: passes on the line that is held. */
  end(): void;
  /** The beginning of a line that is held. */
  held(): Uint8Array;
}

/** How long the beginning of a line is held while its end is missing. */
const heldMs = 200;
/** How much of a line is held. A longer line is passed on in pieces of whole characters. */
const maxHeldBytes = 1024 * 1024;

/**
 * Calls `forward` with whole lines, and with the part of a line that has not ended within 200 ms. Arms a timer only while it holds a line. If `arm` is
 * null, it waits for the end of the line without limit.
 */
export function forwardWholeLines(
  forward: (bytes: Uint8Array) => void,
  arm: Platform['arm'] | null,
): LineForwarder {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let disarm: (() => void) | null = null;

  const hold = (bytes: Uint8Array): void => {
    if (bytes.length > 0) held.push(bytes);
    heldBytes += bytes.length;
  };

  const take = (): Uint8Array => {
    const [first = Buffer.alloc(0)] = held;
    const bytes = held.length === 1 ? first : Buffer.concat(held);
    held = [];
    heldBytes = 0;
    return bytes;
  };

  const flush = (): void => {
    disarm?.();
    disarm = null;
    if (heldBytes > 0) forward(take());
  };

  const passPiece = (): void => {
    const bytes = take();
    const end = endOfCharacters(bytes);
    hold(bytes.subarray(end));
    forward(bytes.subarray(0, end));
  };

  return {
    add: (bytes) => {
      const end = endOfWholeLines(bytes);
      if (end > 0) {
        // Only the held line is joined: copying everything would take as long as writing it.
        const start = heldBytes === 0 ? 0 : afterNewline(bytes);
        hold(bytes.subarray(0, start));
        flush();
        if (start < end) forward(bytes.subarray(start, end));
      }
      hold(bytes.subarray(end));
      if (heldBytes > maxHeldBytes) passPiece();
      disarm?.();
      disarm = heldBytes > 0 && arm !== null ? arm(heldMs, flush) : null;
    },
    end: flush,
    held: () => Buffer.concat(held),
  };
}
