/**
 * A new worker's first requests are its slowest: nothing is compiled. For so long after it was admitted it does nothing else, and
 * the old one, on the same processors, only serves what it has: see docs/adr/0012-the-tail.md.
 */
const longestPauseMs = 50;

/** So long, in ms, for a worker whose drains may take `drainTimeoutMs`: a short one has no time to lose. */
export function takeoverPauseMs(drainTimeoutMs: number): number {
  return Math.min(longestPauseMs, drainTimeoutMs / 10);
}
