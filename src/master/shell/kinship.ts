/** Which processes belong to a worker, as /proc tells it. It must not know why somebody asks. */
import { readFileSync } from 'node:fs';

interface Kin {
  readonly parent: number;
  readonly group: number;
}

/**
 * Is `pid` the process `worker`, one of its descendants (`npm start`, a wrapper with a session of its own), or in its
 * process group (the process in between has ended)? True where there is no /proc to look into.
 */
export function isKin(pid: number, worker: number): boolean {
  if (pid === worker) return true;
  const first = kinOf(pid);
  if (first === null) return kinOf(process.pid) === null;
  if (first.group === worker) return true;
  for (let kin: Kin | null = first; kin !== null && kin.parent > 1; kin = kinOf(kin.parent)) {
    if (kin.parent === worker) return true;
  }
  return false;
}

/** proc_pid_stat(5): the name in parentheses may contain anything, so what follows the last one counts. */
function kinOf(pid: number): Kin | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, , parent, group] = text.slice(text.lastIndexOf(')')).split(' ');
    return { parent: Number(parent), group: Number(group) };
  } catch {
    return null;
  }
}
