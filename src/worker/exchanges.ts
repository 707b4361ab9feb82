/**
 * The requests of this worker: counts them, knows the latest response of each HTTP/1 connection, and while draining
 * makes that response the connection's last. HTTP/2 requests are only counted here; their sessions end in connections.ts.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type net from 'node:net';

export interface Exchanges {
  /** Requests so far. */
  served(): number;
  /** One more request that is not HTTP/1. */
  count(): void;
  /** Watches the server's requests, ahead of every listener that it has now. Watching twice changes only that place. */
  watch(server: net.Server): void;
  /** From now on every response ends its connection, first of all the latest one of each of these. */
  endConnections(sockets: Iterable<net.Socket>): void;
  /** True when the connection's latest response has not been written to its end. */
  isInFlight(socket: net.Socket): boolean;
}

const events = ['request', 'checkContinue', 'checkExpectation'] as const;

export function createExchanges(): Exchanges {
  const latest = new WeakMap<net.Socket, ServerResponse>();
  const last = new WeakSet<ServerResponse>();
  let served = 0;
  let isEnding = false;

  function note(request: IncomingMessage, response: ServerResponse): void {
    if (request.httpVersionMajor !== 1) return;
    const { socket } = request;
    const previous = latest.get(socket);
    // Seen before: by our other listener, or the application passed a 'checkContinue' on to 'request'.
    if (previous === response) return;
    served += 1;
    latest.set(socket, response);
    if (!isEnding) return;
    // Pipelined: Node.js would drop this request after a response that says close.
    if (previous !== undefined && last.has(previous) && !previous.headersSent) {
      previous.setHeader('Connection', 'keep-alive');
    }
    makeLast(response);
  }

  function makeLast(response: ServerResponse): void {
    if (response.headersSent) return;
    last.add(response);
    response.setHeader('Connection', 'close');
  }

  return {
    served: () => served,
    count() {
      served += 1;
    },
    watch(server) {
      // Prepended: a handler that answers at once would have sent its headers before us.
      // A listener for one of the other events changes what Node.js does, and 'request' does so for HTTP/2.
      for (const event of events) {
        const isHeard = server.listenerCount(event) > 0 || (event === 'request' && isHttp1(server));
        if (isHeard) server.prependListener(event, note);
      }
    },
    endConnections(sockets) {
      isEnding = true;
      for (const socket of sockets) {
        const response = latest.get(socket);
        if (response !== undefined) makeLast(response);
      }
    },
    isInFlight(socket) {
      const response = latest.get(socket);
      return response !== undefined && !response.writableFinished;
    },
  };
}

/** True for http and https servers, without loading http into an application that does not use it. */
export function isHttp1(server: net.Server): boolean {
  return 'httpAllowHalfOpen' in server;
}
