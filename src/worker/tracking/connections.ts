/** The open connections of this worker's servers, whatever their protocol. */
import type net from 'node:net';
import type { RawHandle } from '../node-internals/listening-handle.ts';
import { acceptFor, connectionCount } from '../node-internals/server-handles.ts';
import { isInjected } from './in-memory-mark.ts';
import { createOpenSockets } from './open-sockets.ts';
import type { Servers } from './servers.ts';

export interface Connections {
  /** Adds a connection that a server has accepted. */
  accept(socket: net.Socket): void;
  /** Adds a connection that another worker has accepted and handed over to this one. */
  adopt(socket: net.Socket): void;
  /** Adds a socket that a TLS server has made of an accepted one. */
  secure(socket: net.Socket): void;
  /** Returns how many connections have been accepted so far. */
  accepted(): number;
  /** Returns the connections that were accepted or adopted and are still open. */
  open(): net.Socket[];
  /** True for a socket that was accepted or adopted, false for one made of such a socket, as with TLS. */
  isAccepted(socket: net.Socket): boolean;
  /** Returns the TLS sockets that may still be open. */
  secured(): net.Socket[];
  /** Resolves as soon as no connection is open. */
  whenNoneOpen(): Promise<void>;
  /**
   * Returns a function that makes the server that listens with this handle accept a connection, and returns its socket. Null if no
   * server listens with it, or if it has reached `maxConnections`.
   */
  acceptorOn(listening: RawHandle): ((accepted: object) => net.Socket | null) | null;
}

export function createConnections(servers: Pick<Servers, 'listeningWith'>): Connections {
  const sockets = createOpenSockets();
  const secured = createOpenSockets();
  let accepted = 0;

  return {
    accept(socket) {
      if (isInjected(socket)) return;
      accepted += 1;
      sockets.add(socket);
    },
    adopt(socket) {
      sockets.add(socket);
    },
    secure(socket) {
      secured.add(socket);
    },
    accepted: () => accepted,
    open: () => sockets.list(),
    isAccepted: (socket) => sockets.has(socket),
    secured: () => secured.list(),
    whenNoneOpen: () => sockets.whenNone(),
    acceptorOn(listening) {
      const server = servers.listeningWith(listening);
      if (server === null || isFull(server)) return null;
      return (accepted) => {
        const before = sockets.last();
        try {
          acceptFor(listening, accepted);
        } catch (error) {
          // A listener for 'connection' threw. As without graceful-run, that is an uncaught exception, and the connection stays open.
          process.nextTick(() => {
            throw error;
          });
        }
        const after = sockets.last();
        return after === before ? null : after;
      };
    },
  };
}

/** True if the server has reached `maxConnections`: Node.js would drop a further connection. */
function isFull(server: net.Server): boolean {
  const { maxConnections } = server as { readonly maxConnections?: number };
  return maxConnections !== undefined && maxConnections > 0 && connectionCount(server) >= maxConnections;
}
