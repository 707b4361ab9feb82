/** Reloads in a row, under whatever load there is. It must not know what the load is. */
import { setTimeout as pause } from 'node:timers/promises';
import type { RunningTool } from './tool.ts';

/** Reloads so often, the first time after `everyMs`; a reload that takes longer delays the next one. */
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
