/**
 * What two workers say to each other when a connection moves: `outbound` is the end of the one that drains, `inbound` that of
 * the one that adopts. An HTTP/1 connection goes with its offer. One of the application's own protocol goes in two steps: only
 * when the other end holds it and waits does the giver say what its state is, in the same turn in which it lets go of it.
 * INVARIANT: a connection is read by one of the two, and written by one of the two. The one that gives stops reading before it
 * offers, and reads on only when it stays; the one that takes answers before it reads, and waits for the cargo where there is one.
 */
import type net from 'node:net';
import { readStateOfLine, type SocketState } from '../node-internals/socket-state.ts';
import {
  holdReading,
  isConnectionHandle,
  openHandlePipe,
  type ConnectionHandle,
} from '../node-internals/handle-pipe.ts';

/**
 * Raised when a line changes its meaning: after an upgrade of the package the two workers may be of different versions. The
 * one that adopts greets with it, and is offered nothing when it is not the giver's.
 */
const linkVersion = 1;

/** A connection on its way. */
export interface Parcel {
  /** `http`: to the servers of a listener; `own`: to a handler of the application. */
  readonly kind: 'http' | 'own';
  /** The listener's name, or the handler's. */
  readonly to: string;
  /** The client, as `address port`: a handle that is not this one's is never taken for it. */
  readonly peer: string;
  /** HTTP: a response has been sent, and the client may send the next request within the keep-alive timeout. */
  readonly isKept: boolean;
  /** The socket's `allowHalfOpen`. */
  readonly isHalfOpen: boolean;
  /** HTTP: what is known of the socket. Otherwise that goes with the cargo. */
  readonly socket: SocketState;
}

/** What follows a connection of the application's own protocol, when the other end waits for it. */
export interface Cargo {
  /** JSON. */
  readonly state: unknown;
  /** Bytes that were read and not used, in base64. */
  readonly unread: string;
  readonly socket: SocketState;
}

export interface Outbound {
  /** Offers on their way. */
  inFlight(): number;
  /** Offers so far. */
  offered(): number;
  /** Calls back once, perhaps at once: taken, or not. The connection must not be read meanwhile. */
  offer(parcel: Parcel, handle: ConnectionHandle, answered: (isTaken: boolean) => void): void;
  /**
   * The same for a connection of the application's own protocol. `load` is asked when the other end holds it: what it answers goes
   * there, and from then on the connection is theirs, however that ends; null leaves it here. `answered` is called after that.
   */
  entrust(
    parcel: Parcel,
    handle: ConnectionHandle,
    load: () => Cargo | null,
    answered: (isTaken: boolean) => void,
  ): void;
}

export interface OutboundEvents {
  /** Once: the other end is there, and takes what is offered to it. */
  greeted(): void;
  /** The other end drains itself: it has refused nothing for good, and takes nothing any more. */
  left(): void;
  /** Nothing can be offered any more. */
  ended(): void;
}

/** Null: the handle is no such end. */
export function openOutbound(end: unknown, events: OutboundEvents): Outbound | null {
  const waiting = new Map<number, (isTaken: boolean) => void>();
  let lastId = 0;
  const settle = (id: number, isTaken: boolean): void => {
    const answered = waiting.get(id);
    waiting.delete(id);
    answered?.(isTaken);
  };
  const pipe = openHandlePipe(end, {
    line(text) {
      const answer = readJson(text);
      if (answer === null) return;
      if (answer['greeting'] === linkVersion) events.greeted();
      if (answer['leaves'] === true) events.left();
      for (const id of numbersIn(answer['taken'])) settle(id, true);
      for (const id of numbersIn(answer['refused'])) settle(id, false);
    },
    ended() {
      // Nobody has answered, so nobody has read: they are still ours.
      events.ended();
      for (const id of [...waiting.keys()]) settle(id, false);
    },
  });
  if (pipe === null) return null;

  function offer(parcel: Parcel, handle: ConnectionHandle, answered: (isTaken: boolean) => void): number {
    const id = ++lastId;
    waiting.set(id, answered);
    // The end of the pipe is near; what was answered before it has still to be read.
    const line = JSON.stringify({ id, ...parcel });
    const unsent = (): void => {
      settle(id, false);
    };
    if (!pipe?.send(line, handle, unsent)) unsent();
    return id;
  }

  return {
    inFlight: () => waiting.size,
    offered: () => lastId,
    offer,
    entrust(parcel, handle, load, answered) {
      const id = offer(parcel, handle, (isHeld) => {
        const cargo = isHeld ? load() : null;
        const isSent = isHeld && pipe.send(JSON.stringify({ id, cargo }));
        // Not before the other end has it: this process may end as soon as nothing is open.
        if (cargo !== null && isSent) {
          waiting.set(id, () => {
            answered(true);
          });
        } else answered(cargo !== null);
      });
    },
  };
}

/** The one that has got the fewest, the first of several; null when there is none. */
export function leastOffered(among: readonly Outbound[]): Outbound | null {
  return among.reduce<Outbound | null>(
    (least, one) => (least === null || one.offered() < least.offered() ? one : least),
    null,
  );
}

/**
 * Says how a parcel is taken; null: it is not. What it returns is called when the connection is here: at once without cargo for
 * HTTP, else with what has followed; null: nothing will, the connection has stayed where it was. Until then nothing is read from it.
 */
export type Adopt = (parcel: Parcel, handle: ConnectionHandle) => ((cargo: Cargo | null) => void) | null;

/** So many connections are answered for at once: as long do the clients of the first ones wait. */
const together = 32;

/** False: the handle is no such end. `isLeaving`: this worker takes nothing any more, whatever `adopt` would say. */
export function openInbound(end: unknown, isLeaving: () => boolean, adopt: Adopt): boolean {
  let taken: number[] = [];
  let refused: number[] = [];
  /** What was taken and is not read yet. */
  const unread: (() => void)[] = [];
  let isAnswerDue = false;
  let isUrgent = false;
  let hasMore = false;
  /** Those that wait for their cargo. */
  const held = new Map<number, (cargo: Cargo | null) => void>();
  const pipe = openHandlePipe(end, {
    line(text, handles) {
      const message = readJson(text);
      if (message === null || typeof message['id'] !== 'number') return;
      const { id } = message;
      const say = (isTaken: boolean): void => {
        (isTaken ? taken : refused).push(id);
        hasMore = true;
        if (isAnswerDue) return;
        isAnswerDue = true;
        setImmediate(answerInTime);
      };
      const waiting = held.get(id);
      if (waiting !== undefined) {
        held.delete(id);
        const cargo = readCargo(message['cargo']);
        isUrgent = true;
        if (cargo !== null) say(true);
        waiting(cargo);
        return;
      }
      const parcel = readParcel(message);
      const handle = parcel === null ? null : takeOut(handles, parcel.peer);
      const readOn = handle === null ? () => undefined : holdReading(handle);
      const take = parcel === null || handle === null || isLeaving() ? null : adopt(parcel, handle);
      say(take !== null);
      if (take === null) {
        handle?.close();
      } else if (parcel?.kind === 'own') {
        isUrgent = true;
        held.set(id, (cargo) => {
          readOn();
          take(cargo);
        });
      } else {
        unread.push(readOn);
        take(null);
      }
    },
    ended() {
      for (const take of held.values()) take(null);
      held.clear();
      answer();
    },
  });

  // What is offered before would wait here, and its client with it.
  pipe?.send(JSON.stringify({ greeting: linkVersion }));

  /**
   * libuv hands over one descriptor in a turn. So that each of them does not cost an answer and a turn of the giver, those that follow
   * one another turn by turn are answered together.
   */
  function answerInTime(): void {
    if (hasMore && !isUrgent && taken.length + refused.length < together) {
      hasMore = false;
      setImmediate(answerInTime);
      return;
    }
    isAnswerDue = false;
    isUrgent = false;
    answer();
  }

  /** Before any of them is read. When it cannot be sent the giver is gone, and ours are the only copies. */
  function answer(): void {
    if (taken.length + refused.length > 0)
      pipe?.send(JSON.stringify({ taken, refused, leaves: isLeaving() }));
    taken = [];
    refused = [];
    for (const readOn of unread.splice(0)) readOn();
  }

  return pipe !== null;
}

/** The client at the other end, as a parcel writes it; null when it is gone. */
export function peerOf(handle: ConnectionHandle): string | null {
  const out: { address?: string; port?: number } = {};
  if (handle.getpeername(out) !== 0 || out.address === undefined) return null;
  return `${out.address} ${out.port ?? 0}`;
}

/** Handles come in the order of their lines, but one may be missing: out of descriptors, the kernel drops it. */
function takeOut(handles: ConnectionHandle[], peer: string): ConnectionHandle | null {
  const at = handles.findIndex((handle) => peerOf(handle) === peer);
  return at === -1 ? null : (handles.splice(at, 1)[0] ?? null);
}

function readParcel(message: Readonly<Record<string, unknown>>): Parcel | null {
  const { kind, to, peer, isKept, isHalfOpen } = message;
  if (kind !== 'http' && kind !== 'own') return null;
  if (typeof to !== 'string' || typeof peer !== 'string') return null;
  const socket = readStateOfLine(message['socket']);
  return { kind, to, peer, isKept: isKept === true, isHalfOpen: isHalfOpen === true, socket };
}

function numbersIn(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'number') : [];
}

function readCargo(value: unknown): Cargo | null {
  if (typeof value !== 'object' || value === null || !('state' in value) || !('unread' in value)) return null;
  const { state, unread } = value;
  const socket = readStateOfLine('socket' in value ? value.socket : null);
  return typeof unread === 'string' ? { state, unread, socket } : null;
}

function readJson(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

/** The handle below a TCP connection; null when it has none any more, or one of another kind. */
export function handleOf(socket: net.Socket): ConnectionHandle | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  return isConnectionHandle(handle) && handle.constructor.name === 'TCP' ? handle : null;
}
