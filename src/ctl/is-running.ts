/** Whether a process runs. It must not know whose it is. */
import { systemCode } from '../shared/errors.ts';
import { hasEnded, readProcessStat } from '../shared/process-stat.ts';

/** Whether the process is there and has not ended. One that has ended but is not yet reaped counts as ended. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
  return !isZombie(pid);
}

function isZombie(pid: number): boolean {
  const stat = readProcessStat(pid);
  // Where there is no /proc, nothing more can be known; where it has just gone, it has ended.
  return stat === null ? readProcessStat('self') !== null : hasEnded(stat);
}
