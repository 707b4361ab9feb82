/**
 * The application's own clean-up at the very end of a drain: its listeners for one of the signals that ask a process to end. Only one
 * signal, because most applications that listen for several do the same for each of them.
 */
import { longestTimerMs } from '../../shared/durations.ts';
import { monotonicMs } from '../../shared/clock.ts';
import type { Signals } from '../process/signals.ts';
import { complain } from '../process/standard-streams.ts';

export interface CleanUp {
  readonly signals: Pick<
    Signals,
    'listenerCount' | 'isMeant' | 'emit' | 'receivedAt' | 'holdOn' | 'watchOwn' | 'release'
  >;
  /** Times on the clock of monotonicMs(): the beginning of the drain, its deadline, and the latest time at which the process exits. */
  readonly startedAt: number;
  readonly deadlineAt: number;
  readonly exitAt: number;
  /** The SIGTERM that the master sends at the drain timeout has arrived. */
  readonly isTerminated: boolean;
  /** The application has sent itself a signal that it does not listen for any more: its clean-up is done. */
  readonly isDone: boolean;
  /** Reports that the listeners did not finish in time. The process exits when it resolves. */
  readonly reportCut: (what: string) => Promise<void>;
}

/** The signals in order of preference: SIGTERM is the usual one, pm2 and terminals send SIGINT, nginx and similar servers SIGQUIT. */
const endSignals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT'];

/** How long a sender that signals every process of a tree takes at most to reach all of them. */
const sameSignalMs = 1_000;
/** The master's drain timeout starts slightly before the worker's. */
export const deadlineToleranceMs = 200;

/** Lets the application's listeners run once. The process exits when they exit, or at `exitAt`. */
export function cleanUpAndExit(cleanUp: CleanUp): void {
  const { signals, startedAt, exitAt, isDone, reportCut } = cleanUp;
  // The application may have received a signal already, and work on it. Listeners added by `once` are no longer there then.
  const received = endSignals.find(
    (signal) => (signals.receivedAt(signal) ?? -Infinity) >= startedAt - sameSignalMs,
  );
  const signal = received ?? signalToEmit(signals);
  if (signal === null || isDone) exit();
  // Unref'd, so that the process ends by itself when the application has nothing left to wait for.
  setTimeout(
    () => {
      void reportCut(`${signal} handlers`).then(exit);
    },
    Math.min(Math.max(0, exitAt - monotonicMs()), longestTimerMs),
  ).unref();
  obeyOwnSignals(cleanUp);
  if (received !== undefined) return;
  // Outside of any promise, so that an error of a listener is an uncaught exception, as it is without graceful-run.
  process.nextTick(() => {
    signals.emit(signal);
  });
}

/** Reports what was cut on stderr, for a worker without a master. */
export function complainOfCut(what: string): void {
  complain(`${what} had not ended this process at the drain timeout and were cut`);
}

/** The signal whose listeners in the application clean up, or null if the application listens for none of them. */
function signalToEmit(signals: CleanUp['signals']): NodeJS.Signals | null {
  return (
    endSignals.find((signal) => signals.isMeant(signal)) ??
    endSignals.find((signal) => signals.listenerCount(signal) > 0) ??
    null
  );
}

/**
 * Gives a signal that nothing listens for its default action again, because many clean-ups end with one. Two signals of the master are
 * exempt once each: its SIGTERM at the drain timeout, after which the listeners still have time until SIGKILL, and its SIGQUIT, which
 * can arrive when a short drain, begun by the message that comes with it, is already over.
 */
function obeyOwnSignals({ signals, deadlineAt, isTerminated }: CleanUp): void {
  let isTerminationDue = !isTerminated;
  let isQuitDue = true;
  signals.holdOn((signal) => {
    if (signal === 'SIGTERM' && isTerminationDue && monotonicMs() >= deadlineAt - deadlineToleranceMs) {
      isTerminationDue = false;
      return 'take';
    }
    if (signal === 'SIGQUIT' && isQuitDue) {
      isQuitDue = false;
      return 'take';
    }
    if (signals.listenerCount(signal) > 0) return 'passOn';
    signals.release();
    process.kill(process.pid, signal);
    return 'take';
  });
  signals.watchOwn(() => {
    signals.release();
  });
}

function exit(): never {
  process.exit(process.exitCode ?? 0);
}
