/** How much memory workers use, with everything that they have started. */
import { readAllProcesses, readProcessStat } from '../../shared/process-stat.ts';
import { residentBytesOf } from '../../shared/worker-usage.ts';
import { findTree } from './process-tree.ts';

/** The resident memory of each of these workers, in bytes; 0 if there is no /proc. Pages that processes share are counted in each of them. */
export function residentBytes(workers: readonly number[]): readonly number[] {
  const self = readProcessStat('self');
  if (self === null) return workers.map(() => 0);
  const all = readAllProcesses();
  return workers.map((pid) => residentBytesOf(findTree({ pids: [pid], sessions: [pid] }, all, self)));
}
