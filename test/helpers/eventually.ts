/** Waits for a state that sends no event: of /proc, of the file system. */
import { setTimeout as pause } from 'node:timers/promises';

/** Resolves when `holds` does; looks every few ms, for at most `withinMs`. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 5_000,
): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(5);
  }
}
