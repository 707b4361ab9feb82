/** Memory and CPU use of a program's workers, read from /proc: each worker counts with everything that it started. The master takes no part in it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Status } from '../../shared/control-api.ts';
import { type ProcessStat, readAllProcesses } from '../../shared/process-stat.ts';
import { residentBytesOf, ticksPerSecond, workerProcesses } from '../../shared/worker-usage.ts';

export interface Usage {
  /** Resident memory, as ps(1) shows it: pages that processes share are counted in each of them. */
  readonly memoryBytes: number;
  /** CPU use in percent: 100 is one core, busy all the time. */
  readonly cpuPercent: number;
}

/** All processes at one moment. */
export interface Look {
  /** The moment, as performance.now() returns it. */
  readonly atMs: number;
  readonly processes: readonly ProcessStat[];
}

/** The time between the two looks from which the CPU use is calculated. */
const apartMs = 250;

export function lookAtProcesses(): Look {
  return { atMs: performance.now(), processes: readAllProcesses() };
}

/** Looks again, 250 ms after the first look, or at once if that is longer ago. */
export async function lookAgain(first: Look): Promise<Look> {
  if (first.processes.length > 0) await delay(Math.max(0, first.atMs + apartMs - performance.now()));
  return lookAtProcesses();
}

/** Returns memory and CPU use of a program, from two looks at /proc; null if no worker of the program can be seen there. */
export function usageOf(status: Pick<Status, 'master' | 'workers'>, first: Look, second: Look): Usage | null {
  const members = workerProcesses(status, second.processes);
  if (members.length === 0) return null;
  const before = new Map(first.processes.map((process) => [process.pid, process]));
  const ticks = members.reduce((sum, member) => {
    const known = before.get(member.pid);
    const start = known?.startedAt === member.startedAt ? known.cpuTicks : 0;
    return sum + member.cpuTicks - start;
  }, 0);
  const seconds = (second.atMs - first.atMs) / 1_000;
  return {
    memoryBytes: residentBytesOf(members),
    cpuPercent: Math.round((ticks / ticksPerSecond / seconds) * 100),
  };
}
