/** How far the exit of a process has come, from /proc. Linux only. */
import { hasEnded, readProcessStat } from '../../shared/process-stat.ts';
import { activityOf } from './activity.ts';

export interface ExitProgress {
  /** When the process was started, in clock ticks since the boot. It tells the process from a later one with the same pid. */
  readonly startedAt: number;
  /** The CPU time that the process has used, in clock ticks. */
  readonly cpuTicks: number;
  /** Whether its main thread waits for another of its threads, futex(2), as far as that can be seen. */
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
