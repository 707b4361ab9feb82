/** Which processes belong to a worker, as /proc tells it. */
import { readProcessStat } from '../../shared/process-stat.ts';

/**
 * Is `pid` the process `worker`, one of its descendants (`npm start`, a wrapper with a session of its own), or in its
 * process group (the process in between has ended)? True where there is no /proc to look into.
 */
export function isKin(pid: number, worker: number): boolean {
  if (pid === worker) return true;
  const first = readProcessStat(pid);
  if (first === null) return readProcessStat('self') === null;
  if (first.group === worker) return true;
  for (let kin = readProcessStat(pid); kin !== null && kin.parent > 1; kin = readProcessStat(kin.parent)) {
    if (kin.parent === worker) return true;
  }
  return false;
}
