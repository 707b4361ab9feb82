/**
 * The application's own clean-up at the very end of a drain: its listeners of one signal, which would run without us too. Of one
 * only: most applications that listen for several do the same in all of them. It must not know how the drain went.
 */
import { monotonicMs } from '../../shared/clock.ts';
import type { Signals } from '../process/signals.ts';

export interface CleanUp {
  readonly signals: Pick<
    Signals,
    'listenerCount' | 'isMeant' | 'emit' | 'heardAt' | 'holdOn' | 'watchOwn' | 'release'
  >;
  /** On the clock of monotonicMs(): when the drain began, when its time is over, and when the process ends at the latest. */
  readonly begunAt: number;
  readonly deadlineAt: number;
  readonly endsAt: number;
  /** The master's SIGTERM at the drain timeout has come. */
  readonly isTerminated: boolean;
  /** The application has sent itself a signal for which it does not listen any more. */
  readonly isDone: boolean;
  /** Tells that the listeners were not done in time. The process ends when it resolves. */
  readonly cut: (what: string) => Promise<void>;
}

/** In this order: SIGTERM asks to end everywhere, SIGINT comes from pm2 and terminals, SIGQUIT from what is like nginx. */
const askToEnd: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT'];

/** Who signals all processes of a tree does so within this time. */
const sameActMs = 1_000;
/** The master has begun to count a little before us. */
export const deadlineToleranceMs = 200;

/** Lets the application's listeners run once, then exits: when they do, or when the time is over. */
export function cleanUpAndExit(cleanUp: CleanUp): void {
  const { signals, begunAt, endsAt, isDone, cut } = cleanUp;
  // Listeners that hear a signal once are gone, and at work all the same.
  const atWork = askToEnd.find((signal) => (signals.heardAt(signal) ?? -Infinity) >= begunAt - sameActMs);
  const signal = atWork ?? signalToEmit(signals);
  if (signal === null || isDone) exit();
  // Not ref'd: when the application has nothing left to wait for, the process ends by itself.
  setTimeout(
    () => {
      void cut(`${signal} handlers`).then(exit);
    },
    Math.min(Math.max(0, endsAt - monotonicMs()), 2 ** 31 - 1),
  ).unref();
  obeyOwnSignals(cleanUp);
  if (atWork !== undefined) return;
  // Outside of any promise: what a listener throws ends the process as it does without us.
  process.nextTick(() => {
    signals.emit(signal);
  });
}

/** Null: the application listens for none. */
function signalToEmit(signals: CleanUp['signals']): NodeJS.Signals | null {
  return (
    askToEnd.find((signal) => signals.isMeant(signal)) ??
    askToEnd.find((signal) => signals.listenerCount(signal) > 0) ??
    null
  );
}

/**
 * From now on a signal for which nothing listens does what it does by default: many a clean-up ends with one. The master's SIGTERM at
 * the drain timeout must not: the listeners still have until it kills. Nor must its SIGQUIT, which can arrive after the message that goes
 * with it has been read and a short drain is over.
 */
function obeyOwnSignals({ signals, deadlineAt, isTerminated }: CleanUp): void {
  let isExpected = !isTerminated;
  let isQuitExpected = true;
  signals.holdOn((signal) => {
    if (signal === 'SIGTERM' && isExpected && monotonicMs() >= deadlineAt - deadlineToleranceMs) {
      isExpected = false;
      return 'take';
    }
    if (signal === 'SIGQUIT' && isQuitExpected) {
      isQuitExpected = false;
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
