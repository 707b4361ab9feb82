/**
 * Gives each connection that arrives in the destination to its new owner. An HTTP/1 connection goes to the server that listens on the
 * listener of the same name, as if that server had just accepted it; a connection of a custom protocol goes to its handler.
 */
import net from 'node:net';
import { longestTimerMs } from '../../shared/durations.ts';
import { hasParser, skipFirstMessage, onNextRequest } from '../node-internals/between-messages.ts';
import type { ConnectionHandle } from '../node-internals/connection-handle.ts';
import { takeOverCounts, takeOverOptions, type SocketState } from '../node-internals/socket-state.ts';
import { openDestinationEnd } from './destination-end.ts';
import type { FinalState, Offer } from './messages.ts';

/** Receives a connection of a custom protocol, with the state that the source's application sent with it. */
export type AdoptHandler = (socket: net.Socket, state: unknown) => void;

export interface AdoptionParts {
  /** The handlers of custom protocols, by name. */
  readonly handlers: ReadonlyMap<string, AdoptHandler>;
  /**
   * Returns a function that makes the server on this listener accept a connection and returns its socket. Null: no server accepts one
   * now.
   */
  readonly acceptorOf: (listener: string) => ((handle: ConnectionHandle) => net.Socket | null) | null;
  /** Notes how many requests the connection has had in other workers. */
  readonly countOn: (socket: net.Socket, requests: number) => void;
  /** Called when a connection of a custom protocol has arrived: from now on it counts as open in this worker. */
  readonly adopted: (socket: net.Socket) => void;
  /** True while this worker drains: it then refuses every connection. */
  readonly isDraining: () => boolean;
  /** Called when a handler throws; the connection has been destroyed. */
  readonly failed: (error: unknown) => void;
}

/** Adopts the connections of one source. `end`: one end of a pipe to it, as the master sent it. */
export function adoptFrom(
  end: unknown,
  { handlers, acceptorOf, countOn, adopted, isDraining, failed }: AdoptionParts,
): void {
  function adoptHttp(offer: Offer, handle: ConnectionHandle): (() => void) | null {
    const accept = acceptorOf(offer.to);
    if (accept === null) return null;
    // Before it is accepted, because listeners for 'connection' may read the counters.
    takeOverCounts(handle, offer.socket);
    const socket = accept(handle);
    if (socket === null) return null;
    // Something in front of HTTP, such as the PROXY protocol, waits here for first bytes that were already read in the source.
    if (!hasParser(socket)) {
      socket.destroy();
      return null;
    }
    takeOverOptions(socket, offer.socket);
    countOn(socket, offer.socket.requests);
    if (offer.isKept) waitForNextRequest(socket, offer.socket);
    return () => undefined;
  }

  function adoptCustom(
    { to, isHalfOpen }: Offer,
    handle: ConnectionHandle,
  ): ((state: FinalState | null) => void) | null {
    const handler = handlers.get(to);
    if (handler === undefined) return null;
    // `manualStart`: the source may still keep the connection, so nothing is read before the final state is there.
    const options = { handle, allowHalfOpen: isHalfOpen, readable: true, writable: true, manualStart: true };
    const socket = new net.Socket(options);
    // Adopted before the final state arrives, so that a drain that begins meanwhile waits for the connection.
    adopted(socket);
    return (final) => {
      if (final === null) {
        socket.destroy();
        return;
      }
      const { state, unread, socket: known } = final;
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

  openDestinationEnd(end, isDraining, (offer, handle) =>
    offer.kind === 'http' ? adoptHttp(offer, handle) : adoptCustom(offer, handle),
  );
}

/** How much longer than the keep-alive timeout Node.js waits for a client, unless the server has `keepAliveTimeoutBuffer`. */
const keepAliveGraceMs = 1_000;

/** Puts the socket into its state in the source, after a response: until the next request only the keep-alive timeout applies. */
function waitForNextRequest(socket: net.Socket, { timeoutMs }: SocketState): void {
  skipFirstMessage(socket);
  const server: unknown = Reflect.get(socket, 'server');
  if (typeof server !== 'object' || server === null) return;
  const ms = numberOf(server, 'keepAliveTimeout') ?? 0;
  if (ms <= 0) {
    // Without a keep-alive timeout, the socket's own timeout always applies, as the server or the application set it.
    if (timeoutMs !== undefined) socket.setTimeout(Math.min(timeoutMs, longestTimerMs));
    return;
  }
  socket.setTimeout(
    Math.min(ms + (numberOf(server, 'keepAliveTimeoutBuffer') ?? keepAliveGraceMs), longestTimerMs),
  );
  onNextRequest(socket, () => {
    socket.setTimeout(Math.min(numberOf(server, 'timeout') ?? 0, longestTimerMs));
  });
}

function numberOf(
  server: object,
  name: 'keepAliveTimeout' | 'keepAliveTimeoutBuffer' | 'timeout',
): number | null {
  const ms: unknown = Reflect.get(server, name);
  return typeof ms === 'number' ? ms : null;
}
