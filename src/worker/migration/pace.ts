/**
 * How many connections may have moved by when: few at first, so that the new worker is warm by the time it has all of them,
 * while the old one, which is warm, serves the rest. Pure; the caller has the clock.
 */

export interface Pace {
  /** How many may have moved at `nowMs`. */
  allowed(nowMs: number): number;
}

/** From `startMs` on, `total` connections within `spreadMs`, the number growing with the square of the time. */
export function createPace(total: number, startMs: number, spreadMs: number): Pace {
  return {
    allowed(nowMs) {
      const part = (nowMs - startMs) / spreadMs;
      return part >= 1 ? Infinity : Math.max(1, Math.floor(total * part * part));
    },
  };
}
