/** Reads one variable from the environment with which a process was started. */
import { readFileSync } from 'node:fs';

/** Returns the variable, as in proc_pid_environ(5). Null if it is not set, if the process is gone or belongs to another user, or if there is no /proc. */
export function readProcessVariable(pid: number | 'self', name: string): string | null {
  try {
    const start = `${name}=`;
    const words = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return words.find((word) => word.startsWith(start))?.slice(start.length) ?? null;
  } catch {
    return null;
  }
}
