/** Compares values of plans. Pure. */

/** Whether two values of plans are equal: plain data, whose keys are always in the same order. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
