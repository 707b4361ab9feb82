/** Waits for a state that sends no event: of /proc, of the file system. */
import { setTimeout as pause } from 'node:timers/promises';

/** Resolves when `holds` does; looks every few ms, less often the longer it takes, for at most `withinMs`. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 5_000,
): Promise<void> {
  const since = performance.now();
  while (!(await holds())) {
    const passedMs = performance.now() - since;
    if (passedMs > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(Math.min(5 + passedMs / 20, 40));
  }
}
