/**
 * The pauses after a takeover. The first requests of a new worker are its slowest, because its code is not compiled yet. The old workers, which share its
 * processors, do not begin to close or move connections meanwhile, and do not begin all at once: see docs/adr/0012-the-tail.md.
 */
const beforeAdoptingMs = 50;
const beforeEndingMs = 75;
const betweenSlotsMs = 50;
/** Later slots wait no longer than this one, so that the old generation ends soon after the takeover, however many workers it has. */
const latestSlot = 3;

/** How long a new worker only serves, before it tells the master that it adopts connections. A short drain timeout leaves less time. */
export function adoptionPauseMs(drainTimeoutMs: number): number {
  return Math.min(beforeAdoptingMs, drainTimeoutMs / 10);
}

/** How long an old worker still serves its connections, before it ends or moves them. `slot`: its number in the program, from 0. */
export function takeoverPauseMs(drainTimeoutMs: number, slot: number): number {
  return Math.min(beforeEndingMs + betweenSlotsMs * Math.min(slot, latestSlot), drainTimeoutMs / 10);
}
