/** Resolves the promises of requests that wait for a reload, each at the moment that the request names. What happened is read from the history. */
import type { ReloadResult, ReloadWait } from '../../../shared/control-api.ts';
import { GracefulRunError } from '../../../shared/errors.ts';
import type { MasterEvent } from '../../../shared/events.ts';
import type { Platform } from '../../process/platform.ts';
import { areOlderWorkersLeft, type History, mayOldWorkersAccept } from './history.ts';

export interface ReloadWaiters {
  /** Whether a request waits for a result. */
  isAwaited(): boolean;
  /**
   * Resolves when generation `number` has failed, or has reached this moment and only the newest generation takes new connections. `serving`: it serves;
   * on probation, it has done so for `firstMomentMs`. `settled`: in addition, its probation is over. `drained`: in addition, no worker of an earlier
   * generation is left. Rejects with the error of `stopped` if a stop comes first.
   */
  readonly wait: (number: number, moment: ReloadWait) => Promise<ReloadResult>;
  /** Has to be called for each event, with the history after it. */
  observe(event: MasterEvent, history: History): void;
}

/** How long a generation on probation is watched before it counts as serving: a broken build or a refused database shows by then. */
export const firstMomentMs = 500;

interface Waiting {
  readonly number: number;
  readonly moment: ReloadWait;
  readonly resolve: (result: ReloadResult) => void;
  readonly reject: (error: Error) => void;
}

/** A generation that serves, with the last moment that it has reached. */
interface Served {
  readonly result: ReloadResult;
  readonly reached: ReloadWait;
}

export function createReloadWaiters(
  arm: Platform['arm'],
  stopped: (action: string) => Error = masterStopped,
): ReloadWaiters {
  let waiting: readonly Waiting[] = [];
  /** The newest generation that serves, and those before it that are still waited for. */
  const served = new Map<number, Served>();
  let history: History | null = null;

  /** Resolves each wait for which `resultOf` has a result. */
  function answer(resultOf: (one: Waiting) => ReloadResult | null): void {
    waiting = waiting.filter((one) => {
      const result = resultOf(one);
      if (result !== null) one.resolve(result);
      return result === null;
    });
  }

  function answerServed(): void {
    answer(({ number, moment }) => {
      const known = served.get(number);
      if (known === undefined || history === null || mayOldWorkersAccept(history)) return null;
      if (moment === 'serving') return known.result;
      if (known.reached === 'serving') return null;
      return moment === 'drained' && areOlderWorkersLeft(history, number) ? null : known.result;
    });
  }

  function reach(result: ReloadResult, reached: ReloadWait): void {
    for (const number of served.keys())
      if (number < result.generation && !waiting.some((one) => one.number === number)) served.delete(number);
    served.set(result.generation, { result, reached });
    // The workers that are to pause or drain are told so after this event, in the same turn.
    queueMicrotask(answerServed);
  }

  function watch(result: ReloadResult): void {
    arm(Math.min(firstMomentMs, result.probationMs), () => {
      if (history?.lastReload === result) reach(result, 'serving');
    });
  }

  return {
    isAwaited: () => waiting.length > 0,
    wait: async (number, moment) =>
      new Promise((resolve, reject) => {
        waiting = [...waiting, { number, moment, resolve, reject }];
      }),
    observe(event, after) {
      history = after;
      const result = after.lastReload;
      if (event.event === 'generationReady' && result !== null) {
        if (result.probationMs > 0) watch(result);
        else reach(result, 'settled');
      } else if (event.event === 'generationSettled' && result !== null) reach(result, 'settled');
      else if (event.event === 'generationFailed' || event.event === 'generationRolledBack') {
        served.delete(event.generation);
        answer(({ number }) => (number === event.generation ? result : null));
      } else if (event.event === 'stopRequested' || event.event === 'stopped') {
        for (const { reject } of waiting) reject(stopped('reload'));
        waiting = [];
        served.clear();
      } else answerServed();
    },
  };
}

export function masterStopped(action = 'reload'): GracefulRunError {
  return new GracefulRunError('masterStopped', `cannot ${action}: the master is stopping`, {
    hint: 'start it again when it has exited',
  });
}
