/**
 * Decides which HTTP/1 connections of a draining worker can migrate: those that a declared listener accepted, as soon as they are
 * between two messages and nothing of them is only in this process.
 */
import type net from 'node:net';
import { allBetweenMessages, hasParser, type IsBetween } from '../node-internals/between-messages.ts';
import { connectionHandleOf } from '../node-internals/connection-handle.ts';
import { bytesReadByThisWorker, hasStateOfApplication } from '../node-internals/socket-state.ts';
import type { Connections } from '../tracking/connections.ts';
import type { Requests } from '../tracking/requests.ts';

export interface MovableParts {
  readonly requests: Pick<Requests, 'isInFlight'>;
  readonly connections: Pick<Connections, 'isAccepted'>;
  /** The declared listener of the server that has accepted the socket, or null. */
  readonly listenerOf: (server: net.Server, socket: net.Socket) => string | null;
}

/** A connection that was between two messages when this many bytes had been read from it. */
export interface Candidate {
  readonly socket: net.Socket;
  readonly bytesRead: number;
}

/** True if the connection may be able to migrate later, judged by what does not change while it is open. */
export function mayMove(socket: net.Socket, { connections, listenerOf }: MovableParts): boolean {
  return connections.isAccepted(socket) && hasParser(socket) && listenerOfSocket(socket, listenerOf) !== null;
}

/** Returns the connections that are between two messages. `look` is called once for each server. */
export function candidatesAmong(
  sockets: readonly net.Socket[],
  look: (server: net.Server) => IsBetween,
): readonly Candidate[] {
  const known = new Map<net.Server, IsBetween>();
  const isBetween = (socket: net.Socket): boolean => {
    const server = Reflect.get(socket, 'server') as net.Server;
    const isIt = known.get(server) ?? look(server);
    known.set(server, isIt);
    return isIt(socket);
  };
  return (
    sockets
      .map((socket) => ({ socket, bytesRead: bytesReadByThisWorker(socket) }))
      // Zero bytes: nothing has ever arrived, or nothing since the connection migrated to this worker.
      .filter(({ socket, bytesRead }) => bytesRead === 0 || isBetween(socket))
  );
}

/** True if the connection can migrate now. */
export function canLeave({ socket, bytesRead }: Candidate, { requests }: MovableParts): boolean {
  return (
    hasNothingPending(socket) &&
    hasParser(socket) &&
    bytesReadByThisWorker(socket) === bytesRead &&
    !requests.isInFlight(socket) &&
    !hasStateOfApplication(socket)
  );
}

/** Returns the name of the listener that accepted the connection, or null. */
export function listenerOfSocket(socket: net.Socket, listenerOf: MovableParts['listenerOf']): string | null {
  const server: unknown = Reflect.get(socket, 'server');
  return typeof server === 'object' && server !== null ? listenerOf(server as net.Server, socket) : null;
}

/** True if everything that was read is used, and everything is written. */
function hasNothingPending(socket: net.Socket): boolean {
  return (
    socket.readable &&
    socket.writable &&
    socket.readableLength === 0 &&
    socket.writableLength === 0 &&
    connectionHandleOf(socket)?.writeQueueSize === 0
  );
}

/**
 * Keeps the connections that will migrate open when the application calls `http.Server.close()`, which many do as soon as a drain
 * begins, and which destroys idle connections.
 */
export function keepOpenAtClose(
  servers: Iterable<net.Server>,
  willMigrate: (socket: net.Socket) => boolean,
): void {
  for (const server of servers) {
    if (typeof Reflect.get(server, 'closeIdleConnections') !== 'function') continue;
    Object.defineProperty(server, 'closeIdleConnections', {
      value: () => {
        for (const socket of allBetweenMessages(server)) if (!willMigrate(socket)) socket.destroy();
      },
      configurable: true,
      writable: true,
    });
  }
}
