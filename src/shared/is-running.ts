/** Whether a process runs. */
import { systemCode } from './errors.ts';
import { hasEnded, readProcessStat } from './process-stat.ts';

/** Whether the process is there and has not ended. One that has ended but is not yet reaped counts as ended. */
export function isRunning(pid: number): boolean {
  const stat = readProcessStat(pid);
  return stat === null ? processExists(pid) : !hasEnded(stat);
}

/**
 * Whether there is a process of this number, reaped or not, which /proc may hide: with hidepid=2 it shows only processes that this one may
 * trace, and so neither those of other users nor a program with file capabilities, such as a `node` that may bind port 80.
 */
export function processExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
