/**
 * The destination's end of the pipe to a source: receives connections and answers for them.
 * INVARIANT: a connection is read and written by one of the two workers at a time. The destination answers before it reads, and waits
 * for the final state of a custom protocol. The other half of this is in source-end.ts.
 */
import { holdReading, identityOf, type ConnectionHandle } from '../node-internals/connection-handle.ts';
import { openHandlePipe } from '../node-internals/handle-pipe.ts';
import {
  answersLine,
  readFinalState,
  readOffer,
  readSourceLine,
  versionLine,
  type FinalState,
  type Offer,
} from './messages.ts';

/**
 * Decides whether to take an offered connection: null refuses it. The returned function completes the migration. For HTTP it is called
 * at once. For a custom protocol it is called with the final state, or with null if the source has kept the connection; until then
 * nothing is read.
 */
export type Adopt = (offer: Offer, handle: ConnectionHandle) => ((state: FinalState | null) => void) | null;

/** How many connections are answered together at most, because the first clients wait until the last connection has arrived. */
const maxTogether = 32;

/** Opens the end of the pipe that the master sent. If the handle is not such an end, closes it. While `isDraining`, every offer is refused. */
export function openDestinationEnd(end: unknown, isDraining: () => boolean, adopt: Adopt): void {
  let taken: number[] = [];
  let refused: number[] = [];
  /** The functions that start reading the connections that were taken and are not answered for yet. */
  const reads: (() => void)[] = [];
  let isAnswerDue = false;
  let isUrgent = false;
  let hasMore = false;
  /** Connections of custom protocols that wait for their final state. */
  const held = new Map<number, (state: FinalState | null) => void>();
  const pipe = openHandlePipe(end, {
    line(text, handles) {
      const message = readSourceLine(text);
      if (message === null) return;
      const { id, fields } = message;
      const complete = held.get(id);
      if (complete !== undefined) {
        held.delete(id);
        const state = readFinalState(fields);
        isUrgent = true;
        if (state !== null) answerSoon(id, true);
        complete(state);
        return;
      }
      const offer = readOffer(fields);
      const handle = offer === null ? null : takeOut(handles, offer.peer);
      const read = handle === null ? () => undefined : holdReading(handle);
      const adopted = offer === null || handle === null || isDraining() ? null : adopt(offer, handle);
      answerSoon(id, adopted !== null);
      if (adopted === null) {
        handle?.close();
      } else if (offer?.kind === 'own') {
        isUrgent = true;
        held.set(id, (state) => {
          read();
          adopted(state);
        });
      } else {
        reads.push(read);
        adopted(null);
      }
    },
    ended() {
      for (const complete of held.values()) complete(null);
      held.clear();
      answer();
    },
  });

  // Until this line, the source offers nothing: an offer would wait in the pipe, and its client with it.
  pipe?.send(versionLine);

  function answerSoon(id: number, isTaken: boolean): void {
    (isTaken ? taken : refused).push(id);
    hasMore = true;
    if (isAnswerDue) return;
    isAnswerDue = true;
    setImmediate(answerInTime);
  }

  /**
   * libuv receives one descriptor per turn of the event loop. Connections that arrive in successive turns are answered together, which
   * saves answers, and turns of the source's event loop.
   */
  function answerInTime(): void {
    if (hasMore && !isUrgent && taken.length + refused.length < maxTogether) {
      hasMore = false;
      setImmediate(answerInTime);
      return;
    }
    isAnswerDue = false;
    isUrgent = false;
    answer();
  }

  /** Answers, then reads. If the answer cannot be sent, the source has exited and has no copy of the connections any more. */
  function answer(): void {
    if (taken.length + refused.length > 0)
      pipe?.send(answersLine({ taken, refused, isDraining: isDraining() }));
    taken = [];
    refused = [];
    for (const read of reads.splice(0)) read();
  }
}

/**
 * Removes the handle of this client from the list and returns it. The order alone does not do, because the kernel drops a handle if this process has
 * no free descriptor.
 */
function takeOut(handles: ConnectionHandle[], peer: string): ConnectionHandle | null {
  const at = handles.findIndex((handle) => identityOf(handle) === peer);
  return at === -1 ? null : (handles.splice(at, 1)[0] ?? null);
}
