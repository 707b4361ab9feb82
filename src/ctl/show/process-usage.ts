/**
 * How much memory and CPU the workers of a program use, read from /proc: each worker with everything that it started. The master takes no
 * part in it.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Status } from '../../shared/control-api.ts';
import { hasEnded, type ProcessStat, readAllProcesses } from '../../shared/process-stat.ts';

export interface Usage {
  /** Resident memory, as ps(1) shows it: pages that processes share are counted in each of them. */
  readonly memoryBytes: number;
  /** 100 is one core, busy all the time. */
  readonly cpuPercent: number;
}

/** All processes at one moment. */
export interface Look {
  /** performance.now(). */
  readonly atMs: number;
  readonly processes: readonly ProcessStat[];
}

/** Between the two looks that CPU time is measured with. */
const apartMs = 250;
/** USER_HZ: /proc counts CPU time in hundredths of a second, whatever the kernel's own clock does. */
const ticksPerSecond = 100;

export function lookAtProcesses(): Look {
  return { atMs: performance.now(), processes: readAllProcesses() };
}

/** Another look, 250 ms after the first one or at once if that is longer ago. */
export async function lookAgain(first: Look): Promise<Look> {
  if (first.processes.length > 0) await delay(Math.max(0, first.atMs + apartMs - performance.now()));
  return lookAtProcesses();
}

/** Null: no worker of the program can be seen in /proc. */
export function usageOf(status: Status, first: Look, second: Look): Usage | null {
  const members = processesOf(status, second.processes);
  if (members.length === 0) return null;
  const before = new Map(first.processes.map((process) => [process.pid, process]));
  const ticks = members.reduce((sum, member) => {
    const known = before.get(member.pid);
    const start = known?.startedAt === member.startedAt ? known.cpuTicks : 0;
    return sum + member.cpuTicks - start;
  }, 0);
  const seconds = (second.atMs - first.atMs) / 1_000;
  return {
    memoryBytes: members.reduce((sum, { pid }) => sum + residentBytes(pid), 0),
    cpuPercent: Math.round((ticks / ticksPerSecond / seconds) * 100),
  };
}

/**
 * The workers, what they started, and what is in their sessions. A pid that is no child of the master means another process: the
 * master lives in another PID namespace.
 */
export function processesOf(
  { master, workers }: Pick<Status, 'master' | 'workers'>,
  processes: readonly ProcessStat[],
): readonly ProcessStat[] {
  const pids = new Set(workers.map(({ pid }) => pid));
  const living = processes.filter((process) => !hasEnded(process));
  const members = new Set(living.filter(({ pid, parent }) => pids.has(pid) && parent === master.pid));
  if (members.size === 0) return [];
  const sessions = new Set(Array.from(members, ({ pid }) => pid));
  const known = new Set(sessions);
  for (let size = -1; size !== members.size;) {
    size = members.size;
    // A child may stand before its parent, so that it is found in the next round.
    for (const process of living) {
      if (!sessions.has(process.session) && !known.has(process.parent)) continue;
      members.add(process);
      known.add(process.pid);
    }
  }
  return [...members];
}

/** 0 for a process that has ended meanwhile. */
function residentBytes(pid: number): number {
  try {
    const [, kilobytes = '0'] =
      /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return 0;
  }
}
