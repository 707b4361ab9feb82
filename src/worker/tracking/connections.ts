/** The open connections of this worker's servers, whatever their protocol. */
import type net from 'node:net';
import type { RawHandle } from '../node-internals/listening-handle.ts';
import { acceptFor, connectionCount } from '../node-internals/server-handles.ts';
import { isInjected } from './in-memory-mark.ts';
import { createOpenSockets } from './open-sockets.ts';
import type { Servers } from './servers.ts';

export interface Connections {
  /** A server has accepted it. */
  accept(socket: net.Socket): void;
  /** Another worker has accepted it, and gave it to this one. */
  adopt(socket: net.Socket): void;
  /** A TLS server has made this socket of an accepted one. */
  secure(socket: net.Socket): void;
  /** How many have been accepted so far. */
  accepted(): number;
  /** Those that were accepted or adopted and are still open. */
  open(): net.Socket[];
  /** True for a socket that was accepted or adopted, false for one made of such a socket, as with TLS. */
  isAccepted(socket: net.Socket): boolean;
  /** The TLS sockets that may still be open. */
  secured(): net.Socket[];
  /** Resolves as soon as none is open. */
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
          // A listener for 'connection' threw. As without us, that is an uncaught exception, and the connection stays open.
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

/** Node.js would drop one connection more. */
function isFull(server: net.Server): boolean {
  const { maxConnections } = server as { readonly maxConnections?: number };
  return maxConnections !== undefined && maxConnections > 0 && connectionCount(server) >= maxConnections;
}
