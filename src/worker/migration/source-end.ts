/**
 * The source's end of the pipe to a destination: offers it connections, and reads its answers.
 * INVARIANT: a connection is read and written by one of the two workers at a time. The source stops reading it before it offers it,
 * and continues only when the connection stays. The other half of this is in destination-end.ts.
 */
import type { ConnectionHandle } from '../node-internals/connection-handle.ts';
import { openHandlePipe } from '../node-internals/handle-pipe.ts';
import { finalStateLine, offerLine, readAnswers, type FinalState, type Offer } from './messages.ts';

/** A destination as the source sees it. */
export interface Destination {
  /** The number of offers that are not answered yet. */
  inFlight(): number;
  /** The number of offers so far. */
  offered(): number;
  /** Offers an HTTP/1 connection, which must not be read until `answered` is called, once and perhaps at once. */
  offer(offer: Offer, handle: ConnectionHandle, answered: (isTaken: boolean) => void): void;
  /**
   * Offers a connection of a custom protocol, in two steps. When the destination holds it, `finalState` is called. Its result is sent, and
   * from then on the connection belongs to the destination, whatever happens; null keeps it here. `answered` is called after that.
   */
  offerInTwoSteps(
    offer: Offer,
    handle: ConnectionHandle,
    finalState: () => FinalState | null,
    answered: (isTaken: boolean) => void,
  ): void;
}

export interface DestinationEvents {
  /** Called once, when the destination takes connections: it has the same version of the protocol. */
  opened(): void;
  /** Called when the destination drains too and no longer takes connections. A refused connection alone does not mean that. */
  draining(): void;
  /** Called when the destination has closed its end, or has exited. */
  closed(): void;
}

/** Opens the end of the pipe that the master sent. If the handle is not such an end, closes it and returns null. */
export function openSourceEnd(end: unknown, events: DestinationEvents): Destination | null {
  const waiting = new Map<number, (isTaken: boolean) => void>();
  let lastId = 0;
  const settle = (id: number, isTaken: boolean): void => {
    const answered = waiting.get(id);
    waiting.delete(id);
    answered?.(isTaken);
  };
  const pipe = openHandlePipe(end, {
    line(text) {
      const answers = readAnswers(text);
      if (answers === null) return;
      if (answers.isOfThisVersion) events.opened();
      if (answers.isDraining) events.draining();
      for (const id of answers.taken) settle(id, true);
      for (const id of answers.refused) settle(id, false);
    },
    ended() {
      // The destination answers before it reads, so it has read nothing from connections without an answer.
      events.closed();
      for (const id of [...waiting.keys()]) settle(id, false);
    },
  });
  if (pipe === null) return null;

  function offer(offered: Offer, handle: ConnectionHandle, answered: (isTaken: boolean) => void): number {
    const id = ++lastId;
    waiting.set(id, answered);
    // The pipe stays open when a line cannot be sent, because earlier answers may still arrive.
    const unsent = (): void => {
      settle(id, false);
    };
    if (!pipe?.send(offerLine(id, offered), handle, unsent)) unsent();
    return id;
  }

  return {
    inFlight: () => waiting.size,
    offered: () => lastId,
    offer,
    offerInTwoSteps(what, handle, finalState, answered) {
      const id = offer(what, handle, (isHeld) => {
        const state = isHeld ? finalState() : null;
        const isSent = isHeld && pipe.send(finalStateLine(id, state));
        // The wait is for the state to arrive, because this process may exit as soon as no connection is open.
        if (state !== null && isSent) {
          waiting.set(id, () => {
            answered(true);
          });
        } else answered(state !== null);
      });
    },
  };
}
