/** Accepts the queued connections and datagrams, for a worker after which no other process accepts them. */
import { monotonicMs } from '../../shared/clock.ts';
import { nextTurn } from '../process/next-turn.ts';

/**
 * Waits until the queues are empty. Resolves when a whole turn of the event loop has accepted nothing, by the count that `accepted` returns: libuv accepts one
 * connection in a turn, and the application works on the requests of earlier ones in between. Under a load that never pauses it resolves after
 * `longestMs`.
 */
export async function emptyAcceptQueue(accepted: () => number, longestMs: number): Promise<void> {
  const until = monotonicMs() + longestMs;
  let before = -1;
  while (before !== accepted() && monotonicMs() < until) {
    before = accepted();
    // Two turns, because the poll of the current turn is already over when the first one ends.
    await nextTurn();
    await nextTurn();
  }
}
