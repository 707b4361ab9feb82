/**
 * Gives one connection of the application's own protocol to another worker: the state is asked for, and the connection let go
 * of, in the turn in which that worker is known to hold it. So nothing that the application does here can come after its state.
 * It must not know what the protocol is, nor how a connection travels (links.ts).
 */
import type net from 'node:net';
import { holdReading, type ConnectionHandle } from '../node-internals/handle-pipe.ts';
import { handleOf, leastOffered, peerOf, type Cargo, type Outbound } from './links.ts';
import { nothingKnown, readSocketState } from '../node-internals/socket-state.ts';
import type { Successors } from './destinations.ts';
import type { Turns } from './concurrency-limit.ts';

/** What goes along. */
export interface Gift {
  /** The handler over there. */
  readonly to: string;
  /** Asked when the other worker holds the connection and everything was written; what it throws ends the attempt. */
  readonly state: () => unknown;
  /** Called in the same turn as `state`: the socket is not this worker's any more, and is destroyed soon. */
  readonly released: () => void;
}

/** `nobody`: no worker takes it; `notMovable`: it is not an open plain TCP connection. */
export type GiveResult = 'taken' | 'nobody' | 'notMovable';

export interface GivingEvents {
  begun(): void;
  ended(isTaken: boolean): void;
}

/** What is shared by all that are given away. */
export interface GivingParts {
  readonly successors: Pick<Successors, 'wait' | 'list'>;
  /** Whoever is offered is not read until the other worker has answered, so only so many are at a time. */
  readonly turns: Turns;
}

type Attempt = 'taken' | 'refused' | 'unwritten' | { readonly error: unknown };

/** Tries the successors, as they are when there are some, first the one that has got the fewest. Throws what `gift.state` has thrown. */
export async function giveAway(
  socket: net.Socket,
  gift: Gift,
  { successors, turns }: GivingParts,
  events: GivingEvents,
): Promise<GiveResult> {
  const refused = new Set<Outbound>();
  const willing = (): readonly Outbound[] => successors.list().filter((one) => !refused.has(one));
  for (;;) {
    await written(socket);
    await successors.wait();
    if (willing().length === 0) return 'nobody';
    const over = await turns.take();
    try {
      // Not before: others have been offered meanwhile.
      const successor = leastOffered(willing());
      if (successor === null) continue;
      const handle = handleOf(socket);
      const peer = handle === null ? null : peerOf(handle);
      if (!socket.writable || handle === null || peer === null) return 'notMovable';
      events.begun();
      const attempt = await offerOnce(socket, handle, peer, gift, successor);
      events.ended(attempt === 'taken');
      if (attempt === 'taken') return attempt;
      if (typeof attempt === 'object') throw attempt.error;
      if (attempt === 'refused') refused.add(successor);
    } finally {
      over();
    }
  }
}

function offerOnce(
  socket: net.Socket,
  handle: ConnectionHandle,
  peer: string,
  { to, state, released }: Gift,
  successor: Outbound,
): Promise<Attempt> {
  return new Promise((resolve) => {
    let attempt: Attempt = 'refused';
    const load = (): Cargo | null => {
      // Written meanwhile, and not gone out: the rest of it would come between what the other worker writes.
      if (!socket.writable || socket.writableLength > 0 || handle.writeQueueSize > 0) {
        attempt = 'unwritten';
        return null;
      }
      let unread: Buffer = Buffer.alloc(0);
      try {
        const content = state();
        unread = readAll(socket);
        const known = readSocketState(socket, 0);
        released();
        return { state: content, unread: unread.toString('base64'), socket: known };
      } catch (error) {
        if (unread.length > 0) socket.unshift(unread);
        attempt = { error };
        return null;
      }
    };
    const readOn = holdReading(handle);
    const { allowHalfOpen: isHalfOpen } = socket;
    const parcel = { kind: 'own', to, peer, isKept: false, isHalfOpen, socket: nothingKnown } as const;
    successor.entrust(parcel, handle, load, (isTaken) => {
      if (isTaken) socket.destroy();
      else if (!socket.destroyed) readOn();
      resolve(isTaken ? 'taken' : attempt);
    });
  });
}

/** What was read and not used, as when the socket is paused: without its listeners, who would use it now. */
function readAll(socket: net.Socket): Buffer {
  if (socket.readableLength === 0) return Buffer.alloc(0);
  Object.defineProperty(socket, 'emit', { value: () => false, configurable: true });
  try {
    const chunks: Buffer[] = [];
    // Up to Node.js 24 the first one is everything; and not once more than that, which would end what has ended.
    while (socket.readableLength > 0) {
      const data: unknown = socket.read();
      if (!Buffer.isBuffer(data)) break;
      chunks.push(data);
    }
    return Buffer.concat(chunks);
  } finally {
    Reflect.deleteProperty(socket, 'emit');
  }
}

/** Resolves when nothing waits to be written any more, or the socket is no more. */
function written(socket: net.Socket): Promise<void> {
  if (!socket.writable || socket.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    socket.write('', () => {
      resolve();
    });
  });
}
