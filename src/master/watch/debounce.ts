/**
 * When to look and when to believe what was seen: a table over state x event. A hint (something happened on the file system)
 * starts a quiet time; only a scan that follows a whole quiet time, and during which nothing happened, is judged. Pure.
 */

/**
 * - `quiet`: nothing happened since the last judgement; no timer is armed.
 * - `settling`: something happened; the timer is armed.
 * - `scanning`: the quiet time is over, the content is being read.
 * - `disturbed`: as `scanning`, but something happened meanwhile, so what is being read is worth nothing.
 */
export type SettleState = 'quiet' | 'settling' | 'scanning' | 'disturbed';

export type SettleEvent =
  | 'hinted'
  | 'timerFired'
  /** The content was read. */
  | 'scanned'
  /** The content was read, but partly from directories that were not watched for the whole quiet time. */
  | 'scannedAnew';

export type SettleEffect = 'armTimer' | 'scan' | 'judge' | 'none';

type Cell = readonly [SettleState, SettleEffect];

const table: Readonly<Record<SettleState, Readonly<Record<SettleEvent, Cell>>>> = {
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
export function settle(
  state: SettleState,
  event: SettleEvent,
): { readonly state: SettleState; readonly effect: SettleEffect } {
  const [next, effect] = table[state][event];
  return { state: next, effect };
}
