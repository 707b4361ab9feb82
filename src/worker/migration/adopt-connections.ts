/**
 * Takes connections in that another worker gives away: an HTTP/1 connection goes to the server that listens on the
 * listener of that name, as if it had been accepted just now. It must not know how a connection travels (links.ts).
 */
import net from 'node:net';
import { hasParser, skipFirstMessage, whenNextRequestCame } from '../node-internals/between-messages.ts';
import type { ConnectionHandle } from '../node-internals/handle-pipe.ts';
import { takeOverCounts, takeOverOptions, type SocketState } from '../node-internals/socket-state.ts';
import { openInbound, type Cargo, type Parcel } from './links.ts';

/** Gets a connection of the application's own protocol, with what was said about it. */
export type AdoptHandler = (socket: net.Socket, state: unknown) => void;

export interface AdoptionParts {
  /** By their names. */
  readonly handlers: ReadonlyMap<string, AdoptHandler>;
  /** Makes the server that listens on the listener accept it, and answers its socket. Null: nobody can take one now. */
  readonly acceptorOf: (listener: string) => ((handle: ConnectionHandle) => net.Socket | null) | null;
  /** So many requests came on the connection in other workers. */
  readonly countOn: (socket: net.Socket, requests: number) => void;
  /** A connection of the application's own protocol has come: from now on this worker has it open. */
  readonly adopted: (socket: net.Socket) => void;
  /** A worker that drains takes nothing. */
  readonly isDraining: () => boolean;
  readonly failed: (error: unknown) => void;
}

/** Adopts what comes through the end of a pipe from a worker that drains, as it came from the master. */
export function adoptFrom(
  end: unknown,
  { handlers, acceptorOf, countOn, adopted, isDraining, failed }: AdoptionParts,
): void {
  function adopt(parcel: Parcel, handle: ConnectionHandle): ((cargo: Cargo | null) => void) | null {
    return parcel.kind === 'http' ? adoptHttp(parcel, handle) : adoptOwn(parcel, handle);
  }

  function adoptHttp(parcel: Parcel, handle: ConnectionHandle): (() => void) | null {
    const accept = acceptorOf(parcel.to);
    if (accept === null) return null;
    // Listeners of 'connection' may ask for it.
    takeOverCounts(handle, parcel.socket);
    const socket = accept(handle);
    if (socket === null) return null;
    // Something stands before HTTP that has already read what came first, as with the PROXY protocol: it would wait for it again.
    if (!hasParser(socket)) {
      socket.destroy();
      return null;
    }
    takeOverOptions(socket, parcel.socket);
    countOn(socket, parcel.socket.requests);
    if (parcel.isKept) keepAlive(socket, parcel.socket);
    return () => undefined;
  }

  function adoptOwn(
    { to, isHalfOpen }: Parcel,
    handle: ConnectionHandle,
  ): ((cargo: Cargo | null) => void) | null {
    const handler = handlers.get(to);
    if (handler === undefined) return null;
    // `manualStart`: the worker that has it so far may keep it, so nothing is read before the cargo is there.
    const options = { handle, allowHalfOpen: isHalfOpen, readable: true, writable: true, manualStart: true };
    const socket = new net.Socket(options);
    // Open from now on: should a drain begin meanwhile, it waits for what becomes of it.
    adopted(socket);
    return (cargo) => {
      if (cargo === null) {
        socket.destroy();
        return;
      }
      const { state, unread, socket: known } = cargo;
      takeOverCounts(handle, known);
      takeOverOptions(socket, known);
      if (unread !== '') socket.unshift(Buffer.from(unread, 'base64'));
      try {
        handler(socket, state);
      } catch (error) {
        socket.destroy();
        failed(error);
      }
    };
  }

  openInbound(end, isDraining, adopt);
}

/** The client may be a little late: Node.js grants as much where the server does not say. */
const keepAliveGraceMs = 1_000;
/** What a timer of Node.js takes. */
const longestMs = 2 ** 31 - 1;

/** It waits for its next request, not for its first: until then the keep-alive timeout counts, and no other. */
function keepAlive(socket: net.Socket, { timeoutMs }: SocketState): void {
  skipFirstMessage(socket);
  const server: unknown = Reflect.get(socket, 'server');
  if (typeof server !== 'object' || server === null) return;
  const ms = numberOf(server, 'keepAliveTimeout') ?? 0;
  if (ms <= 0) {
    // Then that of the socket counts all the time, as the server or the application has set it.
    if (timeoutMs !== undefined) socket.setTimeout(Math.min(timeoutMs, longestMs));
    return;
  }
  socket.setTimeout(
    Math.min(ms + (numberOf(server, 'keepAliveTimeoutBuffer') ?? keepAliveGraceMs), longestMs),
  );
  whenNextRequestCame(socket, () => {
    socket.setTimeout(Math.min(numberOf(server, 'timeout') ?? 0, longestMs));
  });
}

function numberOf(
  server: object,
  name: 'keepAliveTimeout' | 'keepAliveTimeoutBuffer' | 'timeout',
): number | null {
  const ms: unknown = Reflect.get(server, name);
  return typeof ms === 'number' ? ms : null;
}
