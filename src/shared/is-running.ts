/** Whether a process runs. */
import { systemCode } from './errors.ts';
import { hasEnded, readProcessStat } from './process-stat.ts';

/** Whether the process exists and has not ended. A process that has ended but is not yet reaped counts as ended, unless /proc hides it. */
export function isRunning(pid: number): boolean {
  const stat = readProcessStat(pid);
  return stat === null ? processExists(pid) : !hasEnded(stat);
}

/**
 * Whether there is a process with this pid, reaped or not. /proc may hide it: with hidepid=2 it shows only processes that this one may trace, and so
 * neither those of other users nor a program with file capabilities, such as a `node` that may bind port 80.
 */
export function processExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
