/**
 * The requests of this worker: counts them, knows the latest response of each HTTP/1 connection, and while draining
 * makes that response the connection's last. HTTP/2 requests are only counted here; their sessions end in connections.ts.
 */
import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import { sayClose, takeBackClose } from './last-response.ts';

export interface Exchanges {
  /** Requests so far. */
  served(): number;
  /** One more request that is not HTTP/1. */
  count(): void;
  /** Begins to watch the HTTP/1 requests of every server of this process; `first` gets each connection with its first. */
  watch(first: (socket: net.Socket) => void): void;
  /** From now on every response ends its connection, first of all the latest one of each of these. */
  endConnections(sockets: Iterable<net.Socket>): void;
  /** True when an HTTP/1 request has come on the connection. */
  isKnown(socket: net.Socket): boolean;
  /** True when the connection's latest response has not been written to its end. */
  isInFlight(socket: net.Socket): boolean;
}

/** What Node.js publishes for every HTTP/1 request, before anybody else hears of it. */
interface RequestStart {
  readonly socket: net.Socket;
  readonly response: ServerResponse;
}

export function createExchanges(): Exchanges {
  const latest = new WeakMap<net.Socket, ServerResponse>();
  let served = 0;
  let isEnding = false;

  return {
    served: () => served,
    count() {
      served += 1;
    },
    watch(first) {
      // Not the servers' 'request': that can be removed, changes what Node.js does for some servers, and is not heard for
      // one that another server feeds. This module is part of every Node.js process already; http may never be loaded.
      process
        .getBuiltinModule('node:diagnostics_channel')
        .subscribe('http.server.request.start', (message) => {
          // Proven dispatch: documented, and the channel is Node.js's own.
          const { socket, response } = message as RequestStart;
          const previous = latest.get(socket);
          served += 1;
          latest.set(socket, response);
          if (previous === undefined) first(socket);
          if (!isEnding) return;
          // Pipelined: Node.js would drop this request after a response that says close.
          if (previous !== undefined) takeBackClose(previous);
          sayClose(response);
        });
    },
    endConnections(sockets) {
      isEnding = true;
      for (const socket of sockets) {
        const response = latest.get(socket);
        if (response !== undefined && !response.headersSent) sayClose(response);
      }
    },
    isKnown: (socket) => latest.has(socket),
    isInFlight(socket) {
      const response = latest.get(socket);
      return response !== undefined && !response.writableFinished;
    },
  };
}
