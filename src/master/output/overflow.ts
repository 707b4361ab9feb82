/**
 * Output whose reader is too slow is dropped and counted, and the count is reported once the reader has caught up. So a slow reader neither blocks the
 * master nor fills its memory.
 *
 * This is for the log and the terminal: one limit, one reason, one report when it is over. Logs of workers have another rule (output-loss.ts): their owners decide
 * what is dropped, because a disk can fail as well as be slow and because workers may be held instead, and the beginning of a loss is reported too.
 */

/** The part of a stream that is needed here. */
export interface Backlog {
  /** How many bytes the stream holds because its reader is slow; missing counts as 0. */
  readonly writableLength?: number;
  /** Calls back once, when the stream holds nothing. A stream without this method is checked at the next write. */
  readonly whenEmpty?: (callback: () => void) => void;
}

export interface Overflow {
  /** Whether this amount may be written. If not, it is counted as dropped. */
  admits(amount: number): boolean;
}

/** Makes an overflow. `onDropped` gets how much was dropped since the previous call, in the unit of `amount`. */
export function createOverflow(
  stream: Backlog,
  limitBytes: number,
  onDropped: (amount: number) => void,
): Overflow {
  let dropped = 0;
  const tell = (): void => {
    const amount = dropped;
    dropped = 0;
    if (amount > 0) onDropped(amount);
  };
  return {
    admits(amount) {
      if ((stream.writableLength ?? 0) <= limitBytes) {
        tell();
        return true;
      }
      if (dropped === 0) stream.whenEmpty?.(tell);
      dropped += amount;
      return false;
    },
  };
}
