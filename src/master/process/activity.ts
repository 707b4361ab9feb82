/** What a process does at the moment, from /proc. */
import { readFileSync } from 'node:fs';
import { readProcessStat } from '../../shared/process-stat.ts';

export interface Activity {
  /** Whether SIGSTOP or a debugger has stopped the process. */
  readonly isStopped: boolean;
  /** `runs`, or the kernel function in which the main thread waits; null if that is not known. */
  readonly doing: string | null;
}

export function activityOf(pid: number): Activity {
  const state = readProcessStat(pid)?.state ?? null;
  if (state === 'R') return { isStopped: false, doing: 'runs' };
  return { isStopped: state === 'T' || state === 't', doing: waitsIn(pid) };
}

/** The kernel function that a process waits in. Only root and its own user may read it. */
function waitsIn(pid: number): string | null {
  try {
    const name = readFileSync(`/proc/${pid}/wchan`, 'latin1').trim();
    return /^[A-Za-z_]\w{0,99}$/.test(name) ? name : null;
  } catch {
    return null;
  }
}
