/** The children that this process has got from its previous image: Node.js, which has not started them, neither notices nor reports their ends. */
import { constants } from 'node:os';
import type { Outcome } from '../../shared/events.ts';
import { longestTimerMs } from '../../shared/durations.ts';

const waiting = new Map<number, (outcome: Outcome) => void>();
let keepAlive: NodeJS.Timeout | null = null;

/** Calls back once when the child has ended. As for other children, this process stays alive until then. reap-orphans.ts notices the end. */
export function awaitEnd(pid: number, ended: (outcome: Outcome) => void): void {
  waiting.set(pid, ended);
  keepAlive ??= setInterval(() => undefined, longestTimerMs);
}

export function isAwaited(pid: number): boolean {
  return waiting.has(pid);
}

/** Reports the end of a child. `status`: what waitpid(2) has given. */
export function reportEnd(pid: number, status: number): void {
  const ended = waiting.get(pid);
  waiting.delete(pid);
  if (waiting.size === 0 && keepAlive !== null) {
    clearInterval(keepAlive);
    keepAlive = null;
  }
  ended?.(outcomeOf(status));
}

/** Reads the status as the macros of wait(2) do. */
function outcomeOf(status: number): Outcome {
  const number = status & 0x7f;
  if (number === 0) return { code: (status >> 8) & 0xff, signal: null };
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  return { code: null, signal: names.find(([, value]) => value === number)?.[0] ?? 'SIGKILL' };
}
