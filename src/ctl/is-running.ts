/** Whether a process runs. It must not know whose it is. */
import { readFileSync } from 'node:fs';
import { systemCode } from '../shared/errors.ts';

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
  try {
    // proc(5): the state follows the name, which is in parentheses and may contain anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1));
  } catch (error) {
    // Where there is no /proc, nothing more can be known; where it has just gone, it has ended.
    return systemCode(error) === 'ESRCH';
  }
}
