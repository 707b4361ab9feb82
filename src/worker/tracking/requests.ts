/**
 * The requests of this worker: counts them, knows the latest response of each HTTP/1 connection, and while draining
 * makes that response the connection's last. HTTP/2 requests are only counted here; their sessions end in connections.ts.
 */
import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import { isInjected } from './in-memory-mark.ts';
import { createRequestLimits } from './request-limits.ts';

export interface Requests {
  /** Requests so far. */
  served(): number;
  /** One more request that is not HTTP/1. */
  count(): void;
  /** Begins to watch the HTTP/1 requests of every server of this process; `seen` gets the connection of each. */
  watch(seen: (socket: net.Socket) => void): void;
  /** From now on every response ends its connection, unless that is spared; first of all the latest one of each of these. */
  endConnections(sockets: Iterable<net.Socket>, staysOpen: StaysOpen, ending: Ending): void;
  /** True when an HTTP/1 request has come on the connection. */
  isKnown(socket: net.Socket): boolean;
  /** Requests on the connection so far, in other workers too; 0 where its server sets no limit. */
  requestsOn(socket: net.Socket): number;
  /** So many came on the connection in other workers. */
  takeOverRequests(socket: net.Socket, requests: number): void;
  /** True when the connection's latest response has not been written to its end. */
  isInFlight(socket: net.Socket): boolean;
}

export type StaysOpen = (socket: net.Socket) => boolean;

/** How a response is made its connection's last. */
export interface Ending {
  sayClose(response: ServerResponse): void;
  /** It is not the last after all, unless it was sent. */
  takeBackClose(response: ServerResponse): void;
}

/** What Node.js publishes for every HTTP/1 request, before anybody else hears of it. */
interface RequestStart {
  readonly socket: HttpSocket;
  readonly response: ServerResponse;
  readonly server: { readonly maxRequestsPerSocket: number | null };
}

/** Responses that wait for the one before them. Few connections ever have one: see latestOf. */
const pipelined = new WeakMap<net.Socket, ServerResponse>();

/**
 * `_httpMessage` is not documented, but http-terminator and others have always looked at it: the response that is being
 * written, null between two, undefined before the first.
 */
type HttpSocket = net.Socket & {
  readonly _httpMessage?: ServerResponse | null;
};

/**
 * The response to the latest request, unless it was written to its end. Kept nowhere while connections are many and
 * drains are rare: a WeakMap of them cost 7 % of the throughput of short connections, and 2 KB for each idle one.
 */
function latestOf(socket: HttpSocket): ServerResponse | null {
  const queued = pipelined.get(socket);
  return queued === undefined || queued.writableFinished ? (socket._httpMessage ?? null) : queued;
}

export function createRequests(): Requests {
  let served = 0;
  let staysOpen: StaysOpen = () => false;
  let ending: Ending | null = null;
  const limits = createRequestLimits();

  return {
    requestsOn: (socket) => limits.countOf(socket),
    takeOverRequests: (socket, requests) => {
      limits.takeOver(socket, requests);
    },
    served: () => served,
    count() {
      served += 1;
    },
    watch(seen) {
      // Not the servers' 'request': that can be removed, changes what Node.js does for some servers, and is not heard for
      // one that another server feeds. This module is part of every Node.js process already; http may never be loaded.
      process
        .getBuiltinModule('node:diagnostics_channel')
        .subscribe('http.server.request.start', (message) => {
          // Proven dispatch: documented, and the channel is Node.js's own.
          const { socket, response, server } = message as RequestStart;
          if (isInjected(socket)) return;
          limits.count(server, socket, response);
          const previous = latestOf(socket);
          served += 1;
          // It waits for the one before it, and Node.js does not say where.
          if (previous !== null) pipelined.set(socket, response);
          seen(socket);
          if (ending === null || staysOpen(socket)) return;
          // Node.js would drop this request after a response that says close.
          if (previous !== null) ending.takeBackClose(previous);
          ending.sayClose(response);
        });
    },
    endConnections(sockets, spared, how) {
      staysOpen = spared;
      ending = how;
      for (const socket of sockets) {
        if (spared(socket)) continue;
        const response = latestOf(socket);
        if (response !== null && !response.headersSent) how.sayClose(response);
      }
    },
    isKnown: (socket: HttpSocket) => socket._httpMessage !== undefined,
    isInFlight: (socket) => latestOf(socket) !== null,
  };
}
