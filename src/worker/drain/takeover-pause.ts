/**
 * The pause after a takeover. The first requests of a new worker are its slowest, because its code is not compiled yet. During the pause it
 * only serves them, and the old worker, which shares its processors, does not begin to close or move connections: see
 * docs/adr/0012-the-tail.md.
 */
const longestPauseMs = 50;

/** The length of the pause in ms. A worker with a short drain timeout has less time to spare. */
export function takeoverPauseMs(drainTimeoutMs: number): number {
  return Math.min(longestPauseMs, drainTimeoutMs / 10);
}
