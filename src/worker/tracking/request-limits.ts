/**
 * Keeps `server.maxRequestsPerSocket` for connections that migrate. Node.js counts from zero in each process, so for servers with a
 * limit the requests are counted here, and the destination continues with the count of the source.
 */
import type { ServerResponse } from 'node:http';
import type net from 'node:net';

export interface RequestLimits {
  /** Counts a request. Call it before Node.js does. */
  count(
    server: { readonly maxRequestsPerSocket: number | null },
    socket: net.Socket,
    response: ServerResponse,
  ): void;
  /** Adds the requests that arrived on the connection in other workers. */
  takeOver(socket: net.Socket, requests: number): void;
  /** Returns the number of requests on the connection, in this worker and in others. */
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
      // Node.js sets this property after this, from its own count.
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
