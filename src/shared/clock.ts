/** The time as the code sees it: an interface, so that a test can own it. */

export interface Clock {
  /**
   * Milliseconds that never go back, whatever happens to the wall clock. They count from the machine's start (CLOCK_MONOTONIC,
   * clock_gettime(2)), so that a moment means the same in another process, and after execve(2).
   */
  monotonicMs(): number;
  /** Milliseconds since 1970, for people. */
  wallMs(): number;
}

/** The clock of `Clock.monotonicMs`. Not `performance.now()`, which some applications and test tools replace. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

export const systemClock: Clock = {
  monotonicMs,
  wallMs: () => Date.now(),
};
