/**
 * The HTTP requests of this worker and the connections that they come on: counts them, knows which have no complete response yet,
 * and in a drain makes the latest response of each connection its last.
 */
import type { ServerResponse } from 'node:http';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type net from 'node:net';
import type { Connections } from './connections.ts';
import { createHttp2Sessions } from './http2-sessions.ts';
import { isInjected } from './in-memory-mark.ts';
import { createOpenSockets } from './open-sockets.ts';
import { createRequestLimits } from './request-limits.ts';

/** The socket on which HTTP/1 requests arrive. With TLS, this is not the socket that was accepted. */
export interface Http1Connection {
  readonly isSecure: boolean;
  readonly socket: net.Socket;
}

export interface Requests {
  /** Returns how many requests have arrived so far, over HTTP/1 and HTTP/2. */
  served(): number;
  /** Returns the connections on which an HTTP/1 request has arrived, whichever server reads them. */
  http1(): Http1Connection[];
  /** Returns the HTTP/1 connections whose latest response is not complete. */
  inFlight(): Http1Connection[];
  /** True if the latest response on the connection is not complete. */
  isInFlight(socket: net.Socket): boolean;
  /** Makes every HTTP connection that does not stay open end after its latest response: `Connection: close` and GOAWAY. */
  endAfterLastResponse(staysOpen: StaysOpen, close: CloseHeader): void;
  /** Returns the number of requests on the connection so far, including those in other workers; 0 if its server sets no limit. */
  requestsOn(socket: net.Socket): number;
  /** Call it for a connection from another worker: this many requests arrived on it before. */
  takeOverRequests(socket: net.Socket, count: number): void;
  /** Adds a new HTTP/2 session. */
  readonly addSession: (session: ServerHttp2Session) => void;
  /** Adds a new HTTP/2 stream, which is one request. */
  addStream(stream: ServerHttp2Stream): void;
}

/** The number of requests after which the worker is replaced. */
export interface RequestLimit {
  readonly requests: number;
  /** Called once, when this many have arrived. */
  readonly reached: (served: number) => void;
}

/** True for a connection that no response should close, because it moves to another worker. */
export type StaysOpen = (socket: net.Socket) => boolean;

/** The header `Connection: close` on a response. A parameter, because drain/connection-close.ts is compiled only after admission. */
export interface CloseHeader {
  set(response: ServerResponse): void;
  /** Replaces the header by keep-alive, unless the headers have been sent. */
  clear(response: ServerResponse): void;
}

/** The message that Node.js publishes for every HTTP/1 request, before any listener for 'request' runs. */
interface RequestStart {
  readonly socket: HttpSocket;
  readonly response: ServerResponse;
  readonly server: { readonly maxRequestsPerSocket: number | null };
}

/** The responses that wait for the one before them; null until there is one. Few clients ever send such requests: see latestResponse. */
let pipelined: WeakMap<net.Socket, ServerResponse> | null = null;

/**
 * A socket with `_httpMessage`, which is not documented, but which http-terminator and others have always used: the response that is being written,
 * null between two, undefined before the first.
 */
type HttpSocket = net.Socket & {
  readonly _httpMessage?: ServerResponse | null;
};

/**
 * The response to the latest request, or null if it is complete. Stored nowhere, because connections are many and drains are
 * rare: a WeakMap of responses cost 7 % of the throughput of short connections, and 2 KB for each idle one.
 */
function latestResponse(socket: HttpSocket): ServerResponse | null {
  const queued = pipelined?.get(socket);
  return queued === undefined || queued.writableFinished ? (socket._httpMessage ?? null) : queued;
}

function hasHadRequest(socket: HttpSocket): boolean {
  return socket._httpMessage !== undefined;
}

export function createRequests(
  connections: Pick<Connections, 'open' | 'isAccepted'>,
  limit: RequestLimit | null = null,
): Requests {
  const limits = createRequestLimits();
  const sessions = createHttp2Sessions();
  /** Sockets on which HTTP/1 requests arrive and that were not accepted: TLS sockets, or sockets that the application has made. */
  const layered = createOpenSockets();
  let served = 0;
  let staysOpen: StaysOpen = () => false;
  /** Not null once connections have to end after their latest response. */
  let closeHeader: CloseHeader | null = null;

  function count(): void {
    served += 1;
    if (served === limit?.requests) limit.reached(served);
  }

  function started({ socket, response, server }: RequestStart): void {
    if (isInjected(socket)) return;
    limits.count(server, socket, response);
    const previous = latestResponse(socket);
    count();
    // This response waits for the previous one, and Node.js does not say where it is.
    if (previous !== null) (pipelined ??= new WeakMap()).set(socket, response);
    if (!connections.isAccepted(socket) && !layered.has(socket)) layered.add(socket);
    if (closeHeader === null || staysOpen(socket)) return;
    // Node.js drops a request that follows a response with `Connection: close`.
    if (previous !== null) closeHeader.clear(previous);
    closeHeader.set(response);
  }

  // Used in place of each server's event 'request': the application can remove its listeners, such a listener changes what Node.js does for some
  // servers, and a server that gets its connections from another one does not emit it. This module is part of every Node.js process; http may never
  // be loaded.
  process.getBuiltinModule('node:diagnostics_channel').subscribe('http.server.request.start', (message) => {
    // Proven dispatch: documented, and the channel is Node.js's own.
    started(message as RequestStart);
  });

  function http1(): Http1Connection[] {
    const plain = connections.open().filter(hasHadRequest);
    return [
      ...plain.map((socket) => ({ isSecure: false, socket })),
      ...layered.list().map((socket) => ({ isSecure: true, socket })),
    ];
  }

  function isInFlight(socket: net.Socket): boolean {
    return latestResponse(socket) !== null;
  }

  return {
    served: () => served,
    http1,
    inFlight: () => http1().filter(({ socket }) => isInFlight(socket)),
    isInFlight,
    endAfterLastResponse(stays, close) {
      staysOpen = stays;
      closeHeader = close;
      for (const socket of [...connections.open(), ...layered.list()]) {
        // Few connections have a response in flight, and that is cheap to find out.
        const response = latestResponse(socket);
        if (response !== null && !response.headersSent && !stays(socket)) close.set(response);
      }
      sessions.endAll();
    },
    requestsOn: (socket) => limits.countOf(socket),
    takeOverRequests(socket, count) {
      limits.takeOver(socket, count);
    },
    addSession: sessions.add,
    addStream(stream) {
      count();
      sessions.streamOpened(stream);
    },
  };
}
