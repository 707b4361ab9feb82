/** Reads variables from the environment with which a process was started. */
import { readFileSync } from 'node:fs';

/** Returns the variable, as in proc_pid_environ(5). Null if it is not set, if the process is gone or belongs to another user, or if there is no /proc. */
export function readProcessVariable(pid: number | 'self', name: string): string | null {
  return readProcessVariables(pid, [name])[0] ?? null;
}

/** Returns several variables, as of one moment: between two reads a process may end, or execute another program. */
export function readProcessVariables(
  pid: number | 'self',
  names: readonly string[],
): readonly (string | null)[] {
  const words = readEnvironment(pid);
  return names.map((name) => {
    const start = `${name}=`;
    return words.find((word) => word.startsWith(start))?.slice(start.length) ?? null;
  });
}

function readEnvironment(pid: number | 'self'): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
