/** Ends what programs have left behind: everything that descends from this process, which adopts orphans (adoptOrphans). */
import { readProcessArguments } from '../../shared/process-arguments.ts';
import { hasEnded, readAllProcesses } from '../../shared/process-stat.ts';
import { masterFile, preloadPath } from '../launch/preload-path.ts';
import { removeEmptyGroups } from './control-group.ts';
import type { Platform } from './platform.ts';
import { killTree } from './process-tree.ts';

/** How long a killed process may take to end: one that waits for a disk ends when that answers. */
const patienceMs = 2_000;
const pauseMs = 5;

/**
 * Kills every child of this process, with all that these have started, and resolves when they have ended, after 2 s at the latest. Its
 * helper after-master.sh is left alone: it ends by itself. So are the children `spared`.
 */
export async function killDescendants(
  { clock, arm }: Pick<Platform, 'clock' | 'arm'>,
  spared: readonly number[] = [],
): Promise<void> {
  const giveUpAt = clock.monotonicMs() + patienceMs;
  const left = (): readonly number[] => children().filter((pid) => !spared.includes(pid));
  for (let pids = left(); pids.length > 0 && clock.monotonicMs() < giveUpAt; pids = left()) {
    killTree({ pids, sessions: [] });
    await new Promise<void>((resolve) => {
      arm(pauseMs, resolve);
    });
  }
  removeEmptyGroups();
}

function children(): readonly number[] {
  const helper = masterFile(preloadPath(), 'after-master.sh');
  return readAllProcesses()
    .filter((one) => one.parent === process.pid && !hasEnded(one))
    .map(({ pid }) => pid)
    .filter((pid) => !readProcessArguments(pid).includes(helper));
}
