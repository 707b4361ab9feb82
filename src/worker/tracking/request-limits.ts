/**
 * `server.maxRequestsPerSocket` for connections that move: Node.js counts in each process from one, so the requests before are counted
 * here, for servers that have a limit. It must not know how a connection moves.
 */
import type { ServerResponse } from 'node:http';
import type net from 'node:net';

export interface RequestLimits {
  /** A request has come, before Node.js counts it. */
  count(
    server: { readonly maxRequestsPerSocket: number | null },
    socket: net.Socket,
    response: ServerResponse,
  ): void;
  /** So many came on the connection elsewhere. */
  takeOver(socket: net.Socket, requests: number): void;
  /** So many have come, elsewhere and here. */
  countOf(socket: net.Socket): number;
}

interface Count {
  requests: number;
  readonly isTakenOver: boolean;
}

export function createRequestLimits(): RequestLimits {
  const counts = new WeakMap<net.Socket, Count>();
  return {
    count({ maxRequestsPerSocket }, socket, response) {
      if (maxRequestsPerSocket === null || !(maxRequestsPerSocket > 0)) return;
      const known = counts.get(socket);
      const count = known ?? { requests: 0, isTakenOver: false };
      if (known === undefined) counts.set(socket, count);
      count.requests += 1;
      // Node.js sets it next, to what it has counted itself.
      if (count.isTakenOver && count.requests >= maxRequestsPerSocket)
        Object.defineProperty(response, 'maxRequestsOnConnectionReached', {
          get: () => true,
          set: () => undefined,
          configurable: true,
          enumerable: true,
        });
    },
    takeOver(socket, requests) {
      if (requests > 0) counts.set(socket, { requests, isTakenOver: true });
    },
    countOf: (socket) => counts.get(socket)?.requests ?? 0,
  };
}
