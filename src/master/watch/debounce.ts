/**
 * Decides when to look, and when to trust the result: a table over state x event. A hint that something happened on the file system starts a quiet time.
 * Only a scan that follows a whole quiet time, and during which nothing happened, is judged. Pure.
 */

/**
 * - `quiet`: nothing happened since the last judgement; no timer is armed.
 * - `settling`: something happened; the timer is armed.
 * - `scanning`: the quiet time is over, the content is being read.
 * - `disturbed`: as `scanning`, but something happened meanwhile, so the result of the scan will be discarded.
 */
export type DebounceState = 'quiet' | 'settling' | 'scanning' | 'disturbed';

export type DebounceInput =
  | 'hinted'
  | 'timerFired'
  /** The content was read. */
  | 'scanned'
  /** The content was read, but partly from directories that were not watched for the whole quiet time. */
  | 'scannedAnew';

export type DebounceEffect = 'armTimer' | 'scan' | 'judge' | 'none';

type Cell = readonly [DebounceState, DebounceEffect];

const table: Readonly<Record<DebounceState, Readonly<Record<DebounceInput, Cell>>>> = {
  quiet: {
    hinted: ['settling', 'armTimer'],
    timerFired: ['quiet', 'none'],
    scanned: ['quiet', 'none'],
    scannedAnew: ['quiet', 'none'],
  },
  settling: {
    hinted: ['settling', 'armTimer'],
    timerFired: ['scanning', 'scan'],
    scanned: ['settling', 'none'],
    scannedAnew: ['settling', 'none'],
  },
  scanning: {
    hinted: ['disturbed', 'none'],
    timerFired: ['scanning', 'none'],
    scanned: ['quiet', 'judge'],
    scannedAnew: ['settling', 'armTimer'],
  },
  disturbed: {
    hinted: ['disturbed', 'none'],
    timerFired: ['disturbed', 'none'],
    scanned: ['settling', 'armTimer'],
    scannedAnew: ['settling', 'armTimer'],
  },
};

/** The state after `event`, and what to do. */
export function debounce(
  state: DebounceState,
  event: DebounceInput,
): { readonly state: DebounceState; readonly effect: DebounceEffect } {
  const [next, effect] = table[state][event];
  return { state: next, effect };
}
