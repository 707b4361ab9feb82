/**
 * Migrates one connection of a custom protocol. The application is asked for the connection's state, and told that it
 * is released, in the turn of the event loop in which the destination is known to hold it: so nothing that the application does here
 * can come after its state.
 */
import type net from 'node:net';
import {
  holdReading,
  identityOf,
  connectionHandleOf,
  type ConnectionHandle,
} from '../node-internals/connection-handle.ts';
import { nothingKnown, readSocketState } from '../node-internals/socket-state.ts';
import { canTakeUnread, takeUnread, type UnreadBytes } from '../node-internals/unread-bytes.ts';
import { leastOffered, type Destinations } from './destinations.ts';
import type { FinalState } from './messages.ts';
import type { Destination } from './source-end.ts';

export interface MigrationRequest {
  /** The name of the destination's handler. */
  readonly to: string;
  /**
   * Returns the connection's state. Called when the destination holds the connection and everything is written. If it throws, the connection stays
   * open here.
   */
  readonly state: () => unknown;
  /** Called in the same turn as `state`: the connection now belongs to the destination, and the socket is destroyed soon. */
  readonly released: () => void;
}

/**
 * The result of a migration. `nobody`: no destination takes it. `notMovable`: it is not an open plain connection over TCP or a UNIX socket. The
 * values are part of `Runtime`, over which two copies of this package may meet, so they keep their names.
 */
export type MigrationResult = 'taken' | 'nobody' | 'notMovable';

export interface OfferEvents {
  begun(): void;
  ended(isTaken: boolean): void;
}

/** Shared by all connections that migrate in this way. */
export interface CustomProtocolParts {
  readonly destinations: Pick<Destinations, 'wait' | 'list'>;
  /** Limits how many connections are offered at the same time, because a connection is not read while it is offered. */
  readonly limit: ConcurrencyLimit;
}

type Attempt = 'taken' | 'refused' | 'unwritten' | { readonly error: unknown };

/** Tries the destinations one after the other, the one with the fewest offers first. Throws what `request.state` throws. */
export async function migrateCustomProtocol(
  socket: net.Socket,
  request: MigrationRequest,
  { destinations, limit }: CustomProtocolParts,
  events: OfferEvents,
): Promise<MigrationResult> {
  const refused = new Set<Destination>();
  const willing = (): readonly Destination[] => destinations.list().filter((one) => !refused.has(one));
  for (;;) {
    await written(socket);
    await destinations.wait();
    if (willing().length === 0) return 'nobody';
    const release = await limit.acquire();
    try {
      // Chosen only here, because other connections were offered in the meantime.
      const destination = leastOffered(willing());
      if (destination === null) continue;
      const handle = connectionHandleOf(socket);
      const peer = handle === null ? null : identityOf(handle);
      if (!socket.writable || handle === null || peer === null || !canTakeUnread(socket)) return 'notMovable';
      events.begun();
      const attempt = await offerOnce(socket, handle, peer, request, destination);
      events.ended(attempt === 'taken');
      if (attempt === 'taken') return attempt;
      if (typeof attempt === 'object') throw attempt.error;
      if (attempt === 'refused') refused.add(destination);
    } finally {
      release();
    }
  }
}

function offerOnce(
  socket: net.Socket,
  handle: ConnectionHandle,
  peer: string,
  { to, state, released }: MigrationRequest,
  destination: Destination,
): Promise<Attempt> {
  return new Promise((resolve) => {
    let attempt: Attempt = 'refused';
    const finalState = (): FinalState | null => {
      // Something was written meanwhile and is not sent yet: the rest of it would be sent in the middle of the destination's bytes.
      if (!socket.writable || socket.writableLength > 0 || handle.writeQueueSize > 0) {
        attempt = 'unwritten';
        return null;
      }
      let unread: UnreadBytes | null = null;
      try {
        const content = state();
        unread = takeUnread(socket);
        const known = readSocketState(socket, 0);
        released();
        return { state: content, unread: unread.bytes.toString('base64'), socket: known };
      } catch (error) {
        unread?.putBack();
        attempt = { error };
        return null;
      }
    };
    const readOn = holdReading(handle);
    const { allowHalfOpen: isHalfOpen } = socket;
    const offer = { kind: 'own', to, peer, isKept: false, isHalfOpen, socket: nothingKnown } as const;
    destination.offerInTwoSteps(offer, handle, finalState, (isTaken) => {
      if (isTaken) socket.destroy();
      else if (!socket.destroyed) readOn();
      resolve(isTaken ? 'taken' : attempt);
    });
  });
}

/** Resolves when everything is written, or the socket is closed. */
function written(socket: net.Socket): Promise<void> {
  if (!socket.writable || socket.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    socket.write('', () => {
      resolve();
    });
  });
}

/** A semaphore: at most a given number hold it at a time, first come, first served. */
export interface ConcurrencyLimit {
  /** Resolves when the caller holds it; call the result to release it. */
  acquire(): Promise<() => void>;
}

export function createConcurrencyLimit(count: number): ConcurrencyLimit {
  const waiting: (() => void)[] = [];
  let free = count;

  function release(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return {
    async acquire() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return release;
    },
  };
}
