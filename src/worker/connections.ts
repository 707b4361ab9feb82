/** The servers of this worker and their open connections. It must not know why or when they are to end. */
import type net from 'node:net';
import type { ServerHttp2Session } from 'node:http2';
import type { Ending, Exchanges, IsSpared } from './exchanges.ts';
import { isInjected } from './injected.ts';
import { createOpenSockets } from './open-sockets.ts';
import type { RawHandle } from './raw-handle.ts';
import type { ServerMethod } from './server-methods.ts';

/** An HTTP/1 connection: what its requests come from is, under TLS, not what was accepted. */
export interface Http1Connection {
  readonly isSecure: boolean;
  readonly socket: net.Socket;
}

export interface Connections {
  track(server: net.Server): void;
  /** Those that have not been closed by the application. */
  servers(): Iterable<net.Server>;
  /** Every server stops accepting, and nothing else: `http.Server.close()` would destroy idle connections. */
  stopAccepting(): void;
  /** The handle that the server listens with, or has listened with until `stopAccepting`. */
  handleOf(server: net.Server): unknown;
  /** True, once, for a server that `stopAccepting` closed. */
  takeQuietlyClosed(server: net.Server): boolean;
  /** One that another worker has accepted. */
  adopt(socket: net.Socket): void;
  /** Connections accepted so far. */
  accepted(): number;
  /** What was accepted and is still open. */
  open(): net.Socket[];
  /** Is it one of them, and not made of one, as TLS is? */
  isAccepted(socket: net.Socket): boolean;
  /** Those on which an HTTP/1 request has come, through whichever server. */
  http1(): Http1Connection[];
  /** Every HTTP connection that is not spared ends after what is in flight: `Connection: close` and GOAWAY. */
  endAfterLastResponse(isSpared: IsSpared, ending: Ending): void;
  /** The server of this process that listens with the handle; accepts `accepted` for it, and answers its socket. */
  acceptorOn(listening: RawHandle): ((accepted: object) => net.Socket | null) | null;
  /** Those that TLS servers have made of what was accepted, and that may still be open. */
  secured(): net.Socket[];
  /** Resolves as soon as nothing is open. */
  whenNoneOpen(): Promise<void>;
}

/** `close` is net's own, from before anybody replaced it, which only stops accepting. */
export function createConnections(exchanges: Exchanges, close: ServerMethod): Connections {
  const servers = new Set<net.Server>();
  const known = new WeakSet<net.Server>();
  const quietlyClosed = new WeakSet<net.Server>();
  /** What those that we closed have listened with. */
  const listenedWith = new WeakMap<net.Server, unknown>();
  const sockets = createOpenSockets();
  /** What HTTP/1 requests come from and was not accepted: TLS over it, or whatever the application has made. */
  const layered = createOpenSockets();
  /** What TLS servers have made of connections. */
  const secured = createOpenSockets();
  const sessions = new Set<ServerHttp2Session>();
  let accepted = 0;
  let isEnding = false;

  function accept(socket: net.Socket): void {
    if (isInjected(socket)) return;
    accepted += 1;
    sockets.add(socket);
  }

  function watch(server: net.Server): void {
    server.prependListener('connection', accept);
    // Only TLS servers say it.
    server.on('secureConnection', (socket: net.Socket) => {
      secured.add(socket);
    });
    server.on('session', (session: ServerHttp2Session) => {
      sessions.add(session);
      session.once('close', () => sessions.delete(session));
      session.on('stream', () => {
        exchanges.count();
        // Accepted from the queue while draining: it is served once, as an HTTP/1 connection is.
        if (isEnding && !session.closed) session.close();
      });
    });
  }

  exchanges.watch((socket) => {
    if (!sockets.has(socket) && !layered.has(socket)) layered.add(socket);
  });

  return {
    track(server) {
      if (!servers.has(server)) {
        servers.add(server);
        server.once('close', () => servers.delete(server));
      }
      if (known.has(server)) return;
      known.add(server);
      watch(server);
    },
    servers: () => servers,
    stopAccepting() {
      for (const server of servers) {
        if (!server.listening) continue;
        quietlyClosed.add(server);
        listenedWith.set(server, handleOf(server));
        close.call(server);
      }
    },
    handleOf: (server) => listenedWith.get(server) ?? handleOf(server),
    takeQuietlyClosed: (server) => quietlyClosed.delete(server),
    adopt: (socket) => {
      sockets.add(socket);
    },
    accepted: () => accepted,
    open: () => sockets.list(),
    isAccepted: (socket) => sockets.has(socket),
    http1: () => [
      ...sockets
        .list()
        .filter((socket) => exchanges.isKnown(socket))
        .map((socket) => ({ isSecure: false, socket })),
      ...layered.list().map((socket) => ({ isSecure: true, socket })),
    ],
    acceptorOn(listening) {
      const server = [...servers].find((one) => handleOf(one) === listening);
      if (server === undefined || isFull(server)) return null;
      return (accepted) => {
        const before = sockets.last();
        listening.onconnection?.(0, accepted);
        const after = sockets.last();
        return after === before ? null : after;
      };
    },
    endAfterLastResponse(isSpared, ending) {
      isEnding = true;
      exchanges.endConnections([...sockets.list(), ...layered.list()], isSpared, ending);
      for (const session of sessions) session.close();
    },
    secured: () => secured.list(),
    whenNoneOpen: () => sockets.whenNone(),
  };
}

function handleOf(server: net.Server): unknown {
  return Reflect.get(server, '_handle');
}

/** `maxConnections`: one more would be dropped. */
function isFull(server: net.Server): boolean {
  const { maxConnections } = server as { readonly maxConnections?: number };
  const count: unknown = Reflect.get(server, '_connections');
  return maxConnections !== undefined && maxConnections > 0 && Number(count) >= maxConnections;
}
