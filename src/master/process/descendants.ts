/** Ends everything that programs have left behind: all descendants of this process, which adopts orphans (adoptOrphans). */
import { readProcessArguments } from '../../shared/process-arguments.ts';
import { hasEnded, readAllProcesses } from '../../shared/process-stat.ts';
import { masterFile, preloadPath } from '../launch/preload-path.ts';
import { removeEmptyGroups } from './control-group.ts';
import type { Platform } from './platform.ts';
import { killTree } from './process-tree.ts';

/** How long a killed process may take to end. One that waits for a disk ends only when the disk answers. */
const patienceMs = 2_000;
const pauseMs = 5;

/**
 * Kills every child of this process, with everything that these have started, and resolves when they have ended, after at most 2 s. Two kinds of children
 * are left alone: the helper after-master.sh, which ends by itself, and those in `spared`.
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
