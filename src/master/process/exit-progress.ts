/** How far the exit of a process has come, from /proc. Linux only. */
import { hasEnded, readProcessStat } from '../../shared/process-stat.ts';
import { activityOf } from './activity.ts';

export interface ExitProgress {
  /** Since the boot, in clock ticks: tells it from a later process with its pid. */
  readonly startedAt: number;
  /** CPU time that it has used. */
  readonly cpuTicks: number;
  /** Its main thread waits for another of its threads, futex(2), as far as that can be seen. */
  readonly waitsForThread: boolean;
}

/** How far the exit of a process has come; null if it has ended, or cannot be seen. */
export function exitProgressOf(pid: number): ExitProgress | null {
  const stat = readProcessStat(pid);
  if (stat === null || hasEnded(stat)) return null;
  const { isStopped, doing } = activityOf(pid);
  const { startedAt, cpuTicks } = stat;
  return { startedAt, cpuTicks, waitsForThread: !isStopped && (doing === null || doing.startsWith('futex')) };
}
