/**
 * Knows which of the received datagrams the application may still answer. UDP has no connections that would show it, so a datagram counts as answered
 * when one is sent to its sender, and as never to be answered after a while: clients have sent it again by then.
 */

/** How long to wait for an answer if the application has sent some. Long enough for the usual clients: a resolver waits 5 s for the answer. */
const answerMs = 5_000;
/** How long to wait if the application has sent no answer yet: perhaps the protocol has no answers. */
const workMs = 2_000;
/** How many senders are remembered. Beyond that, the oldest are forgotten. */
const maxSenders = 10_000;

export interface UnansweredDatagrams {
  /** Call it when a datagram has arrived from this address. */
  received(sender: string): void;
  /** Call it when a datagram was sent to this address. */
  sent(recipient: string): void;
  /** Resolves when no datagram can be answered any more, or after `longestMs`. Call it once no more datagrams are received. */
  readonly whenNone: (longestMs: number) => Promise<void>;
}

/** Creates the record of unanswered datagrams. `now` is a clock in ms. */
export function createUnansweredDatagrams(
  now: () => number,
  setTimer: (action: () => void, delayMs: number) => () => void,
): UnansweredDatagrams {
  /** The unanswered datagrams by sender. The address that has sent last is at the end. */
  const senders = new Map<string, { readonly count: number; readonly lastAt: number }>();
  let lastReceivedAt = -Infinity;
  let hasAnswered = false;
  let looked = (): void => undefined;

  function forget(before: number): void {
    for (const [sender, { lastAt }] of senders) {
      if (lastAt > before && senders.size < maxSenders) return;
      senders.delete(sender);
    }
  }

  return {
    received(sender) {
      const at = now();
      forget(at - answerMs);
      const count = (senders.get(sender)?.count ?? 0) + 1;
      senders.delete(sender);
      senders.set(sender, { count, lastAt: at });
      lastReceivedAt = at;
    },
    sent(recipient) {
      const known = senders.get(recipient);
      if (known === undefined) return;
      hasAnswered = true;
      if (known.count === 1) senders.delete(recipient);
      else senders.set(recipient, { ...known, count: known.count - 1 });
      looked();
    },
    whenNone: (longestMs) => {
      const until = now() + longestMs;
      return new Promise((resolve) => {
        let cancel = (): void => undefined;
        const look = (): void => {
          cancel();
          const leftMs = Math.min(until, lastReceivedAt + (hasAnswered ? answerMs : workMs)) - now();
          if (senders.size > 0 && leftMs > 0) cancel = setTimer(look, leftMs);
          else {
            looked = () => undefined;
            resolve();
          }
        };
        looked = look;
        look();
      });
    },
  };
}
