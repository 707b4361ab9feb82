/** Reloads a tool several times in a row. */
import { setTimeout as pause } from 'node:timers/promises';
import type { RunningTool } from './tool.ts';

/** Reloads the given number of times, first after `everyMs`. A reload that takes longer delays the next one. */
export async function reloadRepeatedly(
  running: RunningTool,
  reloads: number,
  everyMs: number,
): Promise<void> {
  for (let done = 0; done < reloads; done += 1) {
    await pause(everyMs);
    await running.reload();
  }
}
