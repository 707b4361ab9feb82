/** The servers of this worker, and the handle that each of them listens with. */
import type net from 'node:net';
import { forwardTo, type RawHandle } from '../node-internals/listening-handle.ts';
import { swapHandle } from '../node-internals/server-handles.ts';
import type { ServerMethod } from '../node-internals/server-prototype.ts';

export interface Servers {
  track(server: net.Server): void;
  isTracked(server: net.Server): boolean;
  /** The application has closed it. */
  closed(server: net.Server): void;
  /** Those that the application has not closed. */
  all(): Iterable<net.Server>;
  /** Every server stops accepting, and does nothing else: `http.Server.close()` would destroy idle connections. */
  stopAccepting(): void;
  /** True, once, for a server that `stopAccepting` closed. */
  takeQuietlyClosed(server: net.Server): boolean;
  /** The handle that the server listens with, or listened with until `stopAccepting`. */
  handleOf(server: net.Server): unknown;
  listeningWith(handle: RawHandle): net.Server | null;
  /** Closes `before`. The server that listened with it gets `after`, on which listen(2) has not been called yet. */
  readonly replaceHandle: (before: RawHandle, after: RawHandle) => void;
}

/** `close` is the method of `net.Server` from before the application could replace it. It only stops accepting. */
export function createServers(close: ServerMethod): Servers {
  const servers = new Set<net.Server>();
  const tracked = new WeakSet<net.Server>();
  const quietlyClosed = new WeakSet<net.Server>();
  /** The handles of those that `stopAccepting` closed. */
  const lastHandles = new WeakMap<net.Server, unknown>();

  function listeningWith(handle: RawHandle): net.Server | null {
    return [...servers].find((server) => currentHandle(server) === handle) ?? null;
  }

  return {
    track(server) {
      servers.add(server);
      tracked.add(server);
    },
    isTracked: (server) => tracked.has(server),
    closed(server) {
      servers.delete(server);
    },
    all: () => servers,
    stopAccepting() {
      for (const server of servers) {
        if (!server.listening) continue;
        quietlyClosed.add(server);
        lastHandles.set(server, currentHandle(server));
        close.call(server);
      }
    },
    takeQuietlyClosed: (server) => quietlyClosed.delete(server),
    handleOf: (server) => lastHandles.get(server) ?? currentHandle(server),
    listeningWith,
    replaceHandle: (before, after) => {
      const server = listeningWith(before);
      if (server !== null) swapHandle(server, before, after);
      before.close();
      // The primary process of a cluster takes the handle away from its server for good.
      if (server === null) forwardTo(before, after);
    },
  };
}

function currentHandle(server: net.Server): unknown {
  return Reflect.get(server, '_handle');
}
