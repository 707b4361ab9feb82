/** The processes of workers, and their CPU and memory use. Read from /proc, and only on request. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Status } from './control-api.ts';
import { hasEnded, type ProcessStat } from './process-stat.ts';

/** USER_HZ: /proc counts CPU time in hundredths of a second, whatever the kernel's own clock does. */
export const ticksPerSecond = 100;

/** Workers, and their master. */
interface WorkersOf {
  readonly master: Pick<Status['master'], 'pid' | 'uptimeMs'>;
  readonly workers: readonly Pick<Status['workers'][number], 'pid'>[];
}

/**
 * Returns the processes of the workers, of everything that they started, and of their sessions. A worker is a child of the master, or a daemon that
 * ran before. If the master lives in another PID namespace, its pids name other processes here.
 */
export function workerProcesses(
  { master, workers }: WorkersOf,
  processes: readonly ProcessStat[],
  sinceBootMs: number = uptime() * 1_000,
): readonly ProcessStat[] {
  const pids = new Set(workers.map(({ pid }) => pid));
  const living = processes.filter((process) => !hasEnded(process));
  const isMasterSeen = living.some(
    (process) => process.pid === master.pid && isOfAge(process, master.uptimeMs, sinceBootMs),
  );
  const members = new Set(
    living.filter(({ pid, parent }) => pids.has(pid) && (isMasterSeen || parent === master.pid)),
  );
  if (members.size === 0) return [];
  const sessions = new Set(Array.from(members, ({ pid }) => pid));
  const known = new Set(sessions);
  for (let size = -1; size !== members.size;) {
    size = members.size;
    // A child may be listed before its parent, so that it is found in the next round. A process that has ended and was not waited for still has its CPU time.
    for (const process of processes) {
      if (pids.has(process.pid) && hasEnded(process)) continue;
      if (!sessions.has(process.session) && !known.has(process.parent)) continue;
      members.add(process);
      known.add(process.pid);
    }
  }
  return [...members];
}

/** The tolerance in comparing ages: the age of a process counts from its start, that of a master from the moment at which its code was loaded. */
const startTakesMs = 3_000;

/**
 * Whether the process has this age: another process with the same pid is older or younger. After a suspend, the clocks of the two ages may differ:
 * then no process is matched.
 */
function isOfAge({ startedAt }: ProcessStat, ageMs: number, sinceBootMs: number): boolean {
  const runsForMs = sinceBootMs - (startedAt / ticksPerSecond) * 1_000;
  return Math.abs(runsForMs - ageMs) < startTakesMs;
}

/** CPU time that these processes have used themselves. Used for a master, because its children that have ended were workers. */
export function ownCpuSecondsOf(processes: readonly ProcessStat[]): number {
  return processes.reduce((sum, { cpuTicks }) => sum + cpuTicks, 0) / ticksPerSecond;
}

/** CPU time that these processes, and children of theirs that have ended, have used. */
export function cpuSecondsOf(processes: readonly ProcessStat[]): number {
  return processes.reduce((sum, { cpuTicks, childTicks }) => sum + cpuTicks + childTicks, 0) / ticksPerSecond;
}

/** Resident memory, as ps(1) shows it: pages that processes share are counted in each of them. */
export function residentBytesOf(processes: readonly ProcessStat[]): number {
  return processes.reduce((sum, { pid }) => sum + residentBytes(pid), 0);
}

/** Returns the resident memory of a process; 0 if it has ended meanwhile. */
function residentBytes(pid: number): number {
  try {
    const [, kilobytes = '0'] =
      /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return 0;
  }
}
