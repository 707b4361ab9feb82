/**
 * Requests that nobody waits for, so that code is compiled and caches are filled before a client comes. One after the other:
 * whatever they are answered, they hold nothing up but for the time that they may take.
 */

const longestMs = 5_000;

/** How long warming up may take: half of what the master still waits, and never long. */
export function warmUpBoundMs(readyTimeoutMs: number, uptimeMs: number): number {
  return Math.max(0, Math.min(longestMs, (readyTimeoutMs - uptimeMs) / 2));
}

/** Resolves when `count` questions were asked, or when it is over; `ask` may fail. */
export async function warmUp(
  count: number,
  ask: () => Promise<unknown>,
  isOver: () => boolean,
): Promise<void> {
  for (let asked = 0; asked < count && !isOver(); asked += 1) {
    try {
      await ask();
    } catch {
      // The next one may be answered.
    }
    // In between, the application's own timers and connections have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
