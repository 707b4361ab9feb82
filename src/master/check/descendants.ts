/** Ends what a candidate has left behind: everything that descends from this process, which adopts orphans (adoptOrphans). */
import { readProcessArguments } from '../../shared/process-arguments.ts';
import { hasEnded, readAllProcesses } from '../../shared/process-stat.ts';
import { masterFile, preloadPath } from '../launch/preload-path.ts';
import { killTree } from '../process/process-tree.ts';

/** Kills every child of this process, with all that these have started. Its helper after-master.sh is left alone: it ends by itself. */
export function killDescendants(): void {
  const helper = masterFile(preloadPath(), 'after-master.sh');
  const pids = readAllProcesses()
    .filter((one) => one.parent === process.pid && !hasEnded(one))
    .map(({ pid }) => pid)
    .filter((pid) => !readProcessArguments(pid).includes(helper));
  if (pids.length > 0) killTree({ pids, sessions: [] });
}
