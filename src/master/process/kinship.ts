/** Which processes belong to a worker, as /proc tells it. */
import { readdirSync, readFileSync } from 'node:fs';
import { processExists } from '../../shared/is-running.ts';
import { readProcessStat, type ProcessStat } from '../../shared/process-stat.ts';

/**
 * Is `pid` the process `worker`, one of its descendants (`npm start`, a wrapper with a session of its own), or in its
 * process group (the process in between has ended)? True where that cannot be found out: there is no /proc, or it hides the process.
 */
export function isKin(pid: number, worker: number): boolean {
  if (pid === worker) return true;
  const first = readProcessStat(pid);
  if (first === null) return readProcessStat('self') === null || processExists(pid);
  if (first.group === worker) return true;
  for (let kin = readProcessStat(pid); kin !== null && kin.parent > 1; kin = readProcessStat(kin.parent)) {
    if (kin.parent === worker) return true;
  }
  return false;
}

/** The processes between `served` and the process `worker` that was started, which are its ancestors, without these two. */
export function findLaunchers(served: ProcessStat, worker: number): readonly ProcessStat[] {
  const launchers: ProcessStat[] = [];
  for (let { parent } = served; parent !== worker;) {
    const launcher = parent > 1 ? readProcessStat(parent) : null;
    // One of them has ended, and the rest was handed to another parent.
    if (launcher === null || launcher.pid === process.pid) return [];
    launchers.push(launcher);
    ({ parent } = launcher);
  }
  return launchers;
}

/**
 * The process of `worker` that calls itself `pid`: it may live in a PID namespace of its own (unshare, bubblewrap), where it has another
 * number. Null when there is none. Where there is no /proc to look into, it is `pid` itself.
 */
export function findKin(pid: number, worker: number): number | null {
  const own = namesOf(pid);
  if (pid > 1 && (own.length === 0 || own.at(-1) === pid) && isKin(pid, worker)) return pid;
  // Of several that have the number, in namespaces inside one another, the wrappers are outside.
  const [found] = processes()
    .filter((one) => one > 1 && isKin(one, worker))
    .map((one) => ({ one, names: namesOf(one) }))
    .filter(({ names }) => names.length > 1 && names.at(-1) === pid)
    .sort((left, right) => right.names.length - left.names.length);
  return found?.one ?? null;
}

/** The numbers of a process, from the namespace of /proc to its own: NSpid of proc_pid_status(5). Empty when it is not told. */
function namesOf(pid: number): readonly number[] {
  try {
    const [, numbers = ''] = /^NSpid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return numbers === '' ? [] : numbers.split('\t').map(Number);
  } catch {
    return [];
  }
}

function processes(): readonly number[] {
  try {
    return readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) ? Number(entry) : []));
  } catch {
    return [];
  }
}
