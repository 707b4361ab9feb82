/** Reads /proc/PID/stat. No other file reads it, because its second field is a name that may contain anything. */
import { readdirSync, readFileSync } from 'node:fs';

/** The fields of /proc/PID/stat that are used (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly pid: number;
  /** The state as one letter: `R`, `S`, `T` (stopped), `Z` (ended, not yet reaped) … */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** The number of the controlling terminal; 0 if there is none. */
  readonly terminal: number;
  readonly threads: number;
  /** CPU time that the process has used, in user and kernel mode, in clock ticks. */
  readonly cpuTicks: number;
  /** CPU time of children that have ended and that the process has waited for. */
  readonly childTicks: number;
  /** The start, in clock ticks since the boot. It distinguishes a process from a later one with the same pid. */
  readonly startedAt: number;
}

/** Reads /proc/PID/stat; null if there is no such process, or no /proc. */
export function readProcessStat(pid: number | 'self'): ProcessStat | null {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return null;
  }
}

/** Parses the text of /proc/PID/stat. Pure. */
export function parseProcessStat(text: string): ProcessStat {
  const [state = '', ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [parent = 0, group = 0, session = 0, terminal = 0] = rest.map(Number);
  return {
    pid: Number.parseInt(text, 10),
    state,
    parent,
    group,
    session,
    terminal,
    threads: Number(rest[16]),
    cpuTicks: Number(rest[10]) + Number(rest[11]),
    childTicks: Number(rest[12]) + Number(rest[13]),
    startedAt: Number(rest[18]),
  };
}

/**
 * Whether the process has ended; its parent may not have reaped it yet. The first thread of a killed process is a zombie a moment before the last of
 * its other threads has ended, and only then are its sockets closed.
 */
export function hasEnded({ state, threads }: ProcessStat): boolean {
  return (state === 'Z' || state === 'X') && threads <= 1;
}

/** What distinguishes a process from a later one with the same pid. */
type ProcessIdentity = Pick<ProcessStat, 'pid' | 'startedAt'>;

/** Whether this very process still runs. */
export function stillRuns({ pid, startedAt }: ProcessIdentity): boolean {
  const now = readProcessStat(pid);
  return now !== null && now.startedAt === startedAt && !hasEnded(now);
}

/** Reads all processes that are visible; none if there is no /proc. */
export function readAllProcesses(): readonly ProcessStat[] {
  return processNumbers().flatMap((pid) => readProcessStat(pid) ?? []);
}

/** Returns the pids of all processes that are visible. */
export function processNumbers(): readonly number[] {
  try {
    return readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) ? Number(entry) : []));
  } catch {
    return [];
  }
}
