/** The servers of this worker and their open connections. It must not know why or when they are to end. */
import type net from 'node:net';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Ending, Requests, StaysOpen } from './requests.ts';
import { isInjected } from './in-memory-mark.ts';
import { createOpenSockets } from './open-sockets.ts';
import { passOn, type RawHandle } from '../node-internals/listening-handle.ts';
import { acceptFor, swapHandle } from '../node-internals/server-handles.ts';
import type { ServerMethod } from '../node-internals/server-prototype.ts';

/** An HTTP/1 connection: what its requests come from is, under TLS, not what was accepted. */
export interface Http1Connection {
  readonly isSecure: boolean;
  readonly socket: net.Socket;
}

export interface Connections {
  track(server: net.Server): void;
  /** A server says something; before its listeners hear it. `first` is the event's first argument. */
  heard(server: net.Server, event: string | symbol, first: unknown): void;
  /** Those that have not been closed by the application. */
  servers(): Iterable<net.Server>;
  /** Every server stops accepting, and nothing else: `http.Server.close()` would destroy idle connections. */
  stopAccepting(): void;
  /** The handle that the server listens with, or has listened with until `stopAccepting`. */
  handleOf(server: net.Server): unknown;
  /** Closes `before`; whatever listened with it has `after` in its place, which is not listened with yet. */
  readonly replaceHandle: (before: RawHandle, after: RawHandle) => void;
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
  endAfterLastResponse(staysOpen: StaysOpen, ending: Ending): void;
  /** The server of this process that listens with the handle; accepts `accepted` for it, and answers its socket. */
  acceptorOn(listening: RawHandle): ((accepted: object) => net.Socket | null) | null;
  /** Those that TLS servers have made of what was accepted, and that may still be open. */
  secured(): net.Socket[];
  /** Resolves as soon as nothing is open. */
  whenNoneOpen(): Promise<void>;
}

/** `close` is net's own, from before anybody replaced it, which only stops accepting. */
export function createConnections(requests: Requests, close: ServerMethod): Connections {
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
  let sessions: ServerHttp2Session[] = [];
  /** So many sessions, before those that have ended are dropped. */
  let sessionLimit = 64;
  let accepted = 0;
  let isEnding = false;

  function accept(socket: net.Socket): void {
    if (isInjected(socket)) return;
    accepted += 1;
    sockets.add(socket);
  }

  function addSession(session: ServerHttp2Session): void {
    sessions.push(session);
    if (sessions.length < sessionLimit) return;
    sessions = sessions.filter(({ destroyed }) => !destroyed);
    sessionLimit = Math.max(64, 2 * sessions.length);
  }

  function addStream({ session }: ServerHttp2Stream): void {
    requests.count();
    // Accepted from the queue while draining: it is served once, as an HTTP/1 connection is.
    if (isEnding && session !== undefined && !session.closed) session.close();
  }

  requests.watch((socket) => {
    if (!sockets.has(socket) && !layered.has(socket)) layered.add(socket);
  });

  return {
    track(server) {
      servers.add(server);
      known.add(server);
    },
    heard(server, event, first) {
      if (!known.has(server)) return;
      switch (event) {
        case 'connection':
          if (isSocket(first)) accept(first);
          break;
        case 'secureConnection':
          // Only TLS servers say it.
          if (isSocket(first)) secured.add(first);
          break;
        case 'session':
          if (isOfClass(first, 'ServerHttp2Session')) addSession(first as ServerHttp2Session);
          break;
        case 'stream':
          if (isOfClass(first, 'ServerHttp2Stream')) addStream(first as ServerHttp2Stream);
          break;
        case 'close':
          servers.delete(server);
          break;
      }
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
    replaceHandle: (before, after) => {
      const server = [...servers].find((one) => handleOf(one) === before);
      if (server !== undefined) swapHandle(server, before, after);
      before.close();
      // A cluster's primary takes the handle out of the server, for good.
      if (server === undefined) passOn(before, after);
    },
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
        .filter((socket) => requests.isKnown(socket))
        .map((socket) => ({ isSecure: false, socket })),
      ...layered.list().map((socket) => ({ isSecure: true, socket })),
    ],
    acceptorOn(listening) {
      const server = [...servers].find((one) => handleOf(one) === listening);
      if (server === undefined || isFull(server)) return null;
      return (accepted) => {
        const before = sockets.last();
        try {
          acceptFor(listening, accepted);
        } catch (error) {
          // A listener of 'connection' has thrown: as ever that is an uncaught exception, and as ever the connection is there.
          process.nextTick(() => {
            throw error;
          });
        }
        const after = sockets.last();
        return after === before ? null : after;
      };
    },
    endAfterLastResponse(staysOpen, ending) {
      isEnding = true;
      requests.endConnections([...sockets.list(), ...layered.list()], staysOpen, ending);
      for (const session of sessions) session.close();
    },
    secured: () => secured.list(),
    whenNoneOpen: () => sockets.whenNone(),
  };
}

/** An application may emit these events itself, for any Duplex that it has made. */
function isSocket(value: unknown): value is net.Socket {
  return typeof value === 'object' && value !== null;
}

/** Node.js exports these classes nowhere. */
function isOfClass(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && value.constructor.name === name;
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
