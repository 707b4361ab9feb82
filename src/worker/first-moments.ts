/**
 * A new worker's first requests are its slowest: nothing is compiled. For so long after it was admitted it does nothing else, and
 * the old one, on the same processors, only serves what it has: see docs/adr/0012-the-tail.md.
 */
export const firstMomentsMs = 50;
