/** The ends of children that Node.js did not start, and does not report: those inherited from the previous image of this process, and those of start-child.ts. */
import { constants } from 'node:os';
import type { Outcome } from '../../shared/events.ts';
import { longestTimerMs } from '../../shared/durations.ts';
import { readProcessStat } from '../../shared/process-stat.ts';

const waiting = new Map<number, (outcome: Outcome) => void>();
/** Children that are about to be taken over, and the outcomes of those among them that have ended already. */
const expected = new Set<number>();
const early = new Map<number, Outcome>();
let keepAlive: NodeJS.Timeout | null = null;

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
    // It has ended already. If the previous image has reaped it, its outcome is unknown.
    setImmediate(ended, outcome ?? { code: null, signal: null });
    return;
  }
  awaitEndOfStarted(pid, ended);
}

/** As awaitEnd(), for a child that was started in this turn of the event loop, so that it cannot have been reaped yet. */
export function awaitEndOfStarted(pid: number, ended: (outcome: Outcome) => void): void {
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
  const signal = names.find(([, value]) => value === number)?.[0];
  // Node.js has no names for real-time signals: as in a shell, the code says which one it was.
  return signal === undefined ? { code: 128 + number, signal: null } : { code: null, signal };
}
