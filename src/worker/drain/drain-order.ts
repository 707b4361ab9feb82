/** Why this worker drains and for how long: the master's word, or what has to be assumed without it. */
import type { DrainReason } from '../../shared/protocol.ts';

/** Why and for how long, as far as it is known. */
export interface DrainOrder {
  readonly reason: DrainReason;
  readonly timeoutMs: number;
  /** There are workers to which connections can move. */
  readonly migrates: boolean;
}

export interface Word {
  /** The master has said it. */
  said(order: DrainOrder): void;
  /** The master is gone: it will say nothing any more. */
  masterGone(): void;
  /** As far as it is known. */
  order(): DrainOrder;
  /** Resolves when there is nothing more to be known. */
  known(): Promise<void>;
  isKnown(): boolean;
}

export function createWord(drainTimeoutMs: number): Word {
  let order: DrainOrder | null = null;
  let assumed: DrainReason = 'signal';
  let isKnown = false;
  let resolveKnown: () => void = () => undefined;
  const known = new Promise<void>((resolve) => {
    resolveKnown = resolve;
  });
  const settle = (): void => {
    isKnown = true;
    resolveKnown();
  };
  return {
    said(given) {
      order = given;
      settle();
    },
    masterGone() {
      assumed = 'masterGone';
      settle();
    },
    order: () => order ?? { reason: assumed, timeoutMs: drainTimeoutMs, migrates: false },
    known: () => known,
    isKnown: () => isKnown,
  };
}

/** Nobody comes after this worker who would accept what waits in the queue. */
export function takesQueueAlong(reason: DrainReason): boolean {
  return reason === 'stop' || reason === 'masterGone';
}
