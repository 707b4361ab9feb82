/**
 * A load: clients side by side until they are stopped or at a bound, and what they have seen. It must not know what a
 * client does or which protocol it speaks.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { countFailure, emptyTally, failuresOf, type FailureKind, type Tally } from './tally.ts';

export interface LoadBounds {
  /** How many clients run side by side. Default: 1. */
  readonly clients?: number;
  /** The load ends by itself after so many requests. Default: never. */
  readonly maxRequests?: number;
  /** The load ends by itself after this time. Default: 60 s. */
  readonly maxMs?: number;
  /** The pause of a client after a failure. Default: 5 ms. */
  readonly afterFailureMs?: number;
  /** The pauses vary at random, by half up and down: clients that a server has cut off at once would keep asking in step. Default: false. */
  readonly isUneven?: boolean;
  /** The load ends by itself after so many failures: such a server is not worth more time. Default: 1,000. */
  readonly maxFailures?: number;
}

export interface Load {
  /** Changes as the load goes on. */
  readonly tally: Tally;
  /** Resolves when that many more requests have been answered, or the load has ended. */
  moreAnswers(count: number): Promise<void>;
  /** No new requests; resolves when those that are under way have ended. */
  stop(): Promise<Tally>;
  /** The load has ended: stopped, or at a bound of its own. */
  readonly ended: Promise<Tally>;
}

/** A client's side of its load. */
export interface Run {
  readonly tally: Tally;
  /** No further request, please. */
  isOver(): boolean;
  /** A request is about to be made. */
  asks(): void;
  answered(): void;
  /** Resolves after a short pause: a refusing server is asked often, but not in a spin. */
  failed(kind: FailureKind, detail: string): Promise<void>;
  /** A pause that stop() cuts short. */
  rest(ms: number): Promise<void>;
}

/** Runs `client` as often as `bounds` says; each returns soon after `isOver()`. */
export function runLoad(bounds: LoadBounds, client: (run: Run) => Promise<void>): Load {
  const {
    clients = 1,
    maxRequests = Infinity,
    maxMs = 60_000,
    afterFailureMs = 5,
    maxFailures = 1_000,
    isUneven = false,
  } = bounds;
  const tally = emptyTally();
  const stopped = new AbortController();
  // Every client that pauses listens.
  setMaxListeners(0, stopped.signal);
  const waiting = new Set<{ readonly count: number; readonly resolve: () => void }>();
  let requests = 0;

  const rest = (ms: number): Promise<void> =>
    pause(isUneven ? ms * (0.5 + Math.random()) : ms, undefined, { signal: stopped.signal }).catch(
      () => undefined,
    );

  const run: Run = {
    tally,
    rest,
    isOver: () => stopped.signal.aborted || requests >= maxRequests || failuresOf(tally) >= maxFailures,
    asks() {
      requests += 1;
    },
    answered() {
      tally.answered += 1;
      for (const waiter of waiting) {
        if (tally.answered < waiter.count) continue;
        waiting.delete(waiter);
        waiter.resolve();
      }
    },
    failed(kind, detail) {
      countFailure(tally, kind, detail);
      return rest(afterFailureMs);
    },
  };

  const bound = setTimeout(() => {
    stopped.abort();
  }, maxMs);
  const ended = Promise.all(Array.from({ length: clients }, () => client(run))).then(() => {
    clearTimeout(bound);
    return tally;
  });

  return {
    tally,
    ended,
    async moreAnswers(more) {
      const reached = new Promise<void>((resolve) => {
        waiting.add({ count: tally.answered + more, resolve });
      });
      await Promise.race([reached, ended]);
    },
    stop() {
      stopped.abort();
      return ended;
    },
  };
}
