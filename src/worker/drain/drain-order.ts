/** Why this worker drains and how long it may take: what the master says, or an assumption if the master says nothing. */
import type { DrainReason } from '../../shared/protocol.ts';
import { endsWithin } from './bounded-wait.ts';

export interface DrainOrder {
  readonly reason: DrainReason;
  readonly timeoutMs: number;
  /** True if there are workers to which connections can move. */
  readonly migrates: boolean;
  /** True if there is a listener on which no other worker will accept. */
  readonly emptiesQueues: boolean;
}

/** The order for this worker's drain. It may arrive before the drain begins, or while it is already under way. */
export interface AwaitedOrder {
  /** Call it when the master has sent the order. */
  receive(order: DrainOrder): void;
  /** Call it when the master is gone: no order can arrive any more. */
  masterGone(): void;
  /** The order that was received or, before that, the assumed one. */
  current(): DrainOrder;
  /**
   * Resolves to the master's order. If none arrives within a moment, the master is told of the drain; if none arrives after that, resolves to the
   * assumed order.
   */
  wait(): Promise<DrainOrder>;
  /** Call before the drain begins with a signal other than the drain signal: the order is less likely to be on its way then. */
  askSooner(): void;
}

/**
 * How long the master's message may take before the master is told of the drain. Its drain signal can overtake the message, which waits until this
 * worker has acknowledged the handle before it. The master sends no other signal ahead of a message, but may be about to get the same one, as all
 * processes of a group do.
 */
const messageMs = { drainSignal: 500, otherSignal: 150 };

/** How long to wait for the order in all. A master that does not answer may be stopped, or busy. */
const answerMs = 1_000;

/** Creates the order that the drain waits for. `tell` announces a drain that the master has not requested; the master answers with the order. */
export function awaitOrder(
  drainTimeoutMs: number,
  master: { readonly isThere: () => boolean; readonly tell: () => void },
): AwaitedOrder {
  let received: DrainOrder | null = null;
  let assumedReason: DrainReason = 'signal';
  let isFinal = false;
  let patienceMs = messageMs.drainSignal;
  let resolve: () => void = () => undefined;
  const final = new Promise<void>((done) => {
    resolve = done;
  });
  const finish = (): void => {
    isFinal = true;
    resolve();
  };
  const current = (): DrainOrder =>
    received ?? { reason: assumedReason, timeoutMs: drainTimeoutMs, migrates: false, emptiesQueues: false };

  return {
    receive(order) {
      received = order;
      finish();
    },
    masterGone() {
      assumedReason = 'masterGone';
      finish();
    },
    current,
    async wait() {
      if (!master.isThere()) return current();
      await endsWithin(patienceMs, final);
      if (!isFinal) {
        master.tell();
        await endsWithin(answerMs - patienceMs, final);
      }
      return current();
    },
    askSooner() {
      patienceMs = messageMs.otherSignal;
    },
  };
}

/** True if no other worker will accept the connections in the accept queue, so that this one has to. */
export function emptiesAcceptQueue({ reason, emptiesQueues }: DrainOrder): boolean {
  return emptiesQueues || reason === 'stop' || reason === 'masterGone';
}
