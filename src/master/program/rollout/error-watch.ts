/**
 * Counts the responses of a generation that is to prove itself, for `rollback_on`, and compares them with those of the previous one. It asks the workers
 * at the beginning of a reload, when the new generation or a part of it begins to serve, and then repeatedly until the probation is over. No timer is
 * armed at other times.
 */
import type { ErrorCounts, ErrorRate, MasterEvent, RequestCounts } from '../../../shared/events.ts';
import type { ErrorRateBound } from '../../config/plan.ts';
import type { Platform } from '../../process/platform.ts';
import { difference, excessiveErrors, noRequests, recent, type Sample } from './error-rate.ts';
import { provingAfter } from './proving.ts';

/** How many requests a worker has answered in its life. */
export interface WorkerCounts extends RequestCounts {
  readonly worker: number;
  readonly generation: number;
}

export interface ErrorWatchParts {
  readonly arm: Platform['arm'];
  readonly nowMs: () => number;
  /** The bound of the plan, or null if nothing is to be counted. */
  readonly bound: () => ErrorRateBound | null;
  /** Asks the running workers for their counts. */
  readonly ask: () => Promise<readonly WorkerCounts[]>;
  /** Called if the generation does worse than allowed, at most once for each generation. */
  readonly foundBad: (generation: number, rate: ErrorRate, bound: ErrorRateBound) => void;
}

export interface ErrorWatch {
  observe(event: MasterEvent): void;
  /** What both generations have answered since the new one began to serve; null if nothing is counted at the moment. */
  counts(): ErrorCounts | null;
}

/** How often the workers are asked within the time of the bound, unless the pauses would be shorter or longer than these limits. */
const asksPerWindow = 20;
const shortestPauseMs = 100;
const longestPauseMs = 5_000;

/** What is known of one reload, from its beginning to the end of the probation. */
interface Round {
  readonly generation: number;
  /** The latest counts of each worker, including those that have ended since. */
  readonly known: Map<number, WorkerCounts>;
  /** What the older workers had answered when the reload began; null if they have not reported it. */
  atBeginning: RequestCounts | null;
  /** What the older workers answered before the new generation served. */
  before: RequestCounts;
  /** Whether the generation or a part of it serves. */
  serves: boolean;
  /** What the older workers had answered when the new generation began to serve. */
  atServing: RequestCounts;
  samples: readonly Sample[];
  cancel: () => void;
}

export function createErrorWatch({ arm, nowMs, bound, ask, foundBad }: ErrorWatchParts): ErrorWatch {
  let round: Round | null = null;

  function end(): void {
    round?.cancel();
    round = null;
  }

  function begin(generation: number): Round {
    end();
    const cancel = (): void => undefined;
    round = {
      generation,
      known: new Map(),
      atBeginning: null,
      before: noRequests,
      serves: false,
      atServing: noRequests,
      samples: [],
      cancel,
    };
    return round;
  }

  /** Asks the workers for their counts; false if the round is over. */
  async function look(own: Round): Promise<boolean> {
    for (const counts of await ask()) own.known.set(counts.worker, counts);
    return round === own;
  }

  function total(own: Round, isOfIt: (generation: number) => boolean): RequestCounts {
    let { requests, serverErrors } = noRequests;
    for (const counts of own.known.values()) {
      if (!isOfIt(counts.generation)) continue;
      requests += counts.requests;
      serverErrors += counts.serverErrors;
    }
    return { requests, serverErrors };
  }

  function older(own: Round): RequestCounts {
    return total(own, (generation) => generation < own.generation);
  }

  async function reloadBegan(own: Round): Promise<void> {
    if (await look(own)) own.atBeginning ??= older(own);
  }

  async function beganToServe(own: Round): Promise<void> {
    if (own.serves) return;
    own.serves = true;
    const at = nowMs();
    if (!(await look(own))) return;
    const served = older(own);
    const sinceBeginning = difference(own.atBeginning ?? noRequests, served);
    // If the new generation was ready so soon that there are too few requests, all that the older workers have ever answered count.
    own.before = sinceBeginning.requests >= (bound()?.atLeast ?? 0) ? sinceBeginning : served;
    own.atServing = served;
    own.samples = [{ at, current: noRequests, previous: served }];
    schedule(own);
  }

  function schedule(own: Round): void {
    const pauseMs = (bound()?.overMs ?? longestPauseMs) / asksPerWindow;
    own.cancel = arm(Math.min(longestPauseMs, Math.max(shortestPauseMs, pauseMs)), () => {
      void count(own);
    });
  }

  async function count(own: Round): Promise<void> {
    if (!(await look(own))) return;
    // The bound may have been changed in the config file in the meantime.
    const now = bound();
    if (now === null) {
      end();
      return;
    }
    const current = total(own, (generation) => generation === own.generation);
    own.samples = recent([...own.samples, { at: nowMs(), current, previous: older(own) }], now.overMs);
    const rate = excessiveErrors(own.samples, own.before, now);
    if (rate === null) schedule(own);
    else {
      end();
      foundBad(own.generation, rate, now);
    }
  }

  return {
    observe(event) {
      const isCounting = bound() !== null;
      if (event.event === 'generationStarted' && isCounting) void reloadBegan(begin(event.generation));
      const proving = provingAfter(event);
      if (proving === null) return;
      if (proving === 'over' || !isCounting) end();
      else void beganToServe(round?.generation === proving.generation ? round : begin(proving.generation));
    },
    counts() {
      const last = round?.samples.at(-1);
      if (round === null || last === undefined) return null;
      return { current: last.current, previous: difference(round.atServing, last.previous) };
    },
  };
}
