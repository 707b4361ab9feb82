/** The servers of this worker, and the handle that each of them listens with. */
import type net from 'node:net';
import { forwardTo, type RawHandle } from '../node-internals/listening-handle.ts';
import { rawHandleOf } from '../node-internals/raw-handle.ts';
import { swapHandle } from '../node-internals/server-handles.ts';
import type { ServerMethod } from '../node-internals/server-prototype.ts';

export interface Servers {
  track(server: net.Server): void;
  isTracked(server: net.Server): boolean;
  /** Call it when the application has closed the server. */
  closed(server: net.Server): void;
  /** Returns the servers that the application has not closed. */
  all(): Iterable<net.Server>;
  /**
   * Makes every server stop accepting, and nothing else: `http.Server.close()` would destroy idle connections. To the application a server still
   * listens, until `takeQuietlyClosed`.
   */
  stopAccepting(): void;
  /** Call it when the application closes the server, or lets it listen again. Returns true, once, for a server that `stopAccepting` closed. */
  takeQuietlyClosed(server: net.Server): boolean;
  /** Returns the handle that the server listens with, or listened with until `stopAccepting`. */
  handleOf(server: net.Server): unknown;
  listeningWith(handle: RawHandle): net.Server | null;
  /** Closes `before`. The server that listened with it gets `after`, on which listen(2) has not been called yet. */
  readonly replaceHandle: (before: RawHandle, after: RawHandle) => void;
}

/** The number of servers below which none of them is checked. */
const smallestLimit = 64;

/** Creates the collection of servers. `close` is the method of `net.Server` from before the application could replace it. It only stops accepting. */
export function createServers(close: ServerMethod): Servers {
  const servers = new Set<net.Server>();
  const tracked = new WeakSet<net.Server>();
  /** The servers that `stopAccepting` closed, each with the function that lets it show that it is closed. */
  const quietlyClosed = new WeakMap<net.Server, () => void>();
  /** The last handles of the servers that `stopAccepting` closed. */
  const lastHandles = new WeakMap<net.Server, unknown>();
  let limit = smallestLimit;

  /**
   * Removes servers that do not listen. A server whose listen has failed emits no 'close', so it would be kept forever. A server that does not listen
   * yet is removed as well: it is tracked again when it does.
   */
  function sweep(): void {
    for (const server of servers) if (!server.listening) servers.delete(server);
    limit = Math.max(smallestLimit, 2 * servers.size);
  }

  function listeningWith(handle: RawHandle): net.Server | null {
    return [...servers].find((server) => rawHandleOf(server) === handle) ?? null;
  }

  return {
    track(server) {
      if (servers.size >= limit) sweep();
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
        const handle = rawHandleOf(server);
        // The handle is checked and not `listening`, which is true for servers that are already closed here.
        if (!handle) continue;
        quietlyClosed.set(server, keepAppearance(server));
        lastHandles.set(server, handle);
        close.call(server);
      }
    },
    takeQuietlyClosed(server) {
      quietlyClosed.get(server)?.();
      return quietlyClosed.delete(server);
    },
    handleOf: (server) => lastHandles.get(server) ?? rawHandleOf(server),
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

/**
 * Makes `server.listening` and `server.address()` keep saying what they say now, because requests in flight may ask for the port of the
 * server that they came to. Returns a function that undoes it.
 */
function keepAppearance(server: net.Server): () => void {
  const address = addressOf(server);
  const shown: readonly (readonly [string, unknown])[] = [
    ['listening', true],
    // Returns a new object at each call, as Node.js does.
    ['address', () => (typeof address === 'object' && address !== null ? { ...address } : address)],
  ];
  const added = shown.filter(
    ([name, value]) =>
      // Left alone if the application has replaced it. Nothing can be added to a frozen server.
      !Object.hasOwn(server, name) &&
      Reflect.defineProperty(server, name, { value, configurable: true, writable: true }),
  );
  return () => {
    for (const [name] of added) Reflect.deleteProperty(server, name);
  };
}

/** The address of a server; null if it cannot be read. */
function addressOf(server: net.Server): ReturnType<net.Server['address']> {
  try {
    return server.address();
  } catch {
    return null;
  }
}
