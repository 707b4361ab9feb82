/** Resolves the promises of requests that wait until a program serves again. It has served before, and may have no worker left that accepts. */
import type { Failure } from '../../../shared/events.ts';
import { isAccepting, isLeaving, isRunning, type Program } from '../lifecycle/state.ts';

/** How the wait ended. `stopped`: the program was stopped, or has ended by itself. */
export type ServingOutcome = 'serves' | 'failed' | 'stopped';

export interface ServingWaiters {
  /** Whether a request waits for a result. */
  isAwaited(): boolean;
  /** Resolves when a worker accepts, when the program has come to rest, or when it only waits for the restart of workers that have failed. */
  wait(): Promise<ServingOutcome>;
  /** Has to be called after each input, with the program after it. */
  observe(program: Program): void;
}

export function createServingWaiters(program: () => Program): ServingWaiters {
  let waiting: readonly ((outcome: ServingOutcome) => void)[] = [];

  function observe(now: Program): void {
    if (waiting.length === 0) return;
    const outcome = outcomeOf(now);
    if (outcome === null) return;
    for (const resolve of waiting) resolve(outcome);
    waiting = [];
  }

  return {
    isAwaited: () => waiting.length > 0,
    wait: async () =>
      new Promise((resolve) => {
        waiting = [...waiting, resolve];
        // A start that was requested just now may still be in the queue of inputs.
        queueMicrotask(() => {
          observe(program());
        });
      }),
    observe,
  };
}

/** The outcome of a start; null if it is not known yet. */
function outcomeOf(program: Program): ServingOutcome | null {
  if (program.workers.some(isAccepting)) return 'serves';
  if (failureOf(program) !== null) return 'failed';
  if (!isRunning(program)) return 'stopped';
  // Another generation is about to serve.
  if (program.phase !== 'serving' || program.pendingSince !== null) return null;
  const isTrying = program.workers.some(
    (worker) => worker.generation === program.current.number && !isLeaving(worker),
  );
  // After the first failure in a row, the next start follows at once.
  const isAboutTo = program.current.slots.some(
    ({ restartAt, failures }) => restartAt !== null && failures < 2,
  );
  return isTrying || isAboutTo ? null : 'failed';
}

/** Why a program was given up, or null if it was not. */
export function failureOf(program: Program): Failure | null {
  return 'failure' in program && program.phase !== 'backoff' ? program.failure : null;
}
