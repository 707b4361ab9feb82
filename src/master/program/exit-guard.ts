/**
 * Ends processes of workers that have begun to exit and never come to the end: in Node.js 24 and 26, process.exit() and an uncaught error wait for the threads on which V8
 * still compiles, and one of these may wait for a collection by the main thread (nodejs/node#54918). Such a process keeps its sockets. A listener for 'exit' that takes its time is
 * left alone: it uses the CPU, or waits for something else than a thread.
 */
import type { ExitProgress } from '../process/exit-progress.ts';
import type { Platform } from '../process/platform.ts';

export interface ExitGuardParts {
  readonly platform: Pick<Platform, 'arm' | 'signalProcess'>;
  readonly progressOf: (pid: number) => ExitProgress | null;
}

/** When a process that exits is first examined, and the time between two examinations. Most processes have ended long before. */
const firstLookMs = 2_000;
const nextLookMs = 1_000;

/**
 * Kills the process with SIGKILL if two examinations in a row find it waiting. Before the kill, `hung` is called with the time since guardExit() was
 * called. Returns a function that ends the watch.
 */
export function guardExit(
  pid: number,
  { platform, progressOf }: ExitGuardParts,
  hung: (waitedMs: number) => void,
): () => void {
  const first = progressOf(pid);
  if (first === null) return () => undefined;
  const look = (before: ExitProgress | null, waitedMs: number): void => {
    const now = progressOf(pid);
    // The process has ended, and another one may have its pid.
    if (now?.startedAt !== first.startedAt) return;
    if (before?.cpuTicks === now.cpuTicks && before.waitsForThread && now.waitsForThread) {
      hung(waitedMs);
      platform.signalProcess(pid, 'SIGKILL');
      return;
    }
    cancel = platform.arm(nextLookMs, () => {
      look(now, waitedMs + nextLookMs);
    });
  };
  let cancel = platform.arm(firstLookMs, () => {
    look(null, firstLookMs);
  });
  return () => {
    cancel();
  };
}
