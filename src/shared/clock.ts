/** The time, as an interface, so that a test can control it. */

export interface Clock {
  /**
   * Milliseconds that never go back, even if the wall clock is set. They count from the machine's start (CLOCK_MONOTONIC, clock_gettime(2)), so that
   * a value means the same moment in another process, and after execve(2).
   */
  monotonicMs(): number;
  /** Milliseconds since 1970, for times that people read. */
  wallMs(): number;
}

/** The clock behind `Clock.monotonicMs`. Not `performance.now()`, which some applications and test tools replace. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

export const systemClock: Clock = {
  monotonicMs,
  wallMs: () => Date.now(),
};
