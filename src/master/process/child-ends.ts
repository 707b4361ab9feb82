/**
 * The children that Node.js has not started, and whose ends it neither notices nor reports: those that this process has got from its previous image, and those
 * that start-child.ts has started.
 */
import { constants } from 'node:os';
import type { Outcome } from '../../shared/events.ts';
import { longestTimerMs } from '../../shared/durations.ts';
import { readProcessStat } from '../../shared/process-stat.ts';

const waiting = new Map<number, (outcome: Outcome) => void>();
/** Children that are about to be taken over, and the outcomes of those among them that have ended already. */
const expected = new Set<number>();
const early = new Map<number, Outcome>();
let keepAlive: NodeJS.Timeout | null = null;
let isNoticing = false;

/** Has to be called once the ends of all children are noticed (`reportEnd`). */
export function beginReports(): void {
  isNoticing = true;
}

/** Whether the end of a child that Node.js has not started would be reported. */
export function areEndsReported(): boolean {
  return isNoticing;
}

/** Keeps the outcomes of these children until their ends are awaited. Has to be called before orphans are reaped. */
export function expectEnds(pids: readonly number[]): void {
  for (const pid of pids) expected.add(pid);
}

/** Calls back once when the child has ended. As for other children, this process stays alive until then. reap-orphans.ts notices the end. */
export function awaitEnd(pid: number, ended: (outcome: Outcome) => void): void {
  expected.delete(pid);
  const outcome = early.get(pid);
  early.delete(pid);
  if (outcome !== undefined || readProcessStat(pid)?.parent !== process.pid) {
    // It has ended before, or was reaped by the previous image: then nothing is known of its outcome.
    setImmediate(ended, outcome ?? { code: null, signal: null });
    return;
  }
  awaitEndOfOwn(pid, ended);
}

/** As awaitEnd(), for a child that this very code has just started. */
export function awaitEndOfOwn(pid: number, ended: (outcome: Outcome) => void): void {
  waiting.set(pid, ended);
  keepAlive ??= setInterval(() => undefined, longestTimerMs);
}

export function isAwaited(pid: number): boolean {
  return waiting.has(pid) || expected.has(pid);
}

/** Reports the end of a child. `status`: what waitpid(2) has given. */
export function reportEnd(pid: number, status: number): void {
  const ended = waiting.get(pid);
  const outcome = outcomeOf(status);
  if (ended === undefined) early.set(pid, outcome);
  waiting.delete(pid);
  if (waiting.size === 0 && keepAlive !== null) {
    clearInterval(keepAlive);
    keepAlive = null;
  }
  ended?.(outcome);
}

/** Reads the status as the macros of wait(2) do. */
function outcomeOf(status: number): Outcome {
  const number = status & 0x7f;
  if (number === 0) return { code: (status >> 8) & 0xff, signal: null };
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  return { code: null, signal: names.find(([, value]) => value === number)?.[0] ?? 'SIGKILL' };
}
