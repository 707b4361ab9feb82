/**
 * Uses the package http-terminator to cut HTTP/1 connections. The package gets them through an emitter that stands in for their
 * server: given the server, it would destroy WebSockets and HTTP/2 connections at once, and reject because the server no longer listens.
 */
import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import type { Http1Connection } from '../tracking/requests.ts';

/**
 * Destroys idle connections at once and those with a request in flight after `graceMs`. Resolves in the same way whether responses
 * were completed or not; to false if the package cannot be loaded, as when a deploy has replaced it on disk.
 */
export type Terminate = (connections: readonly Http1Connection[], graceMs: number) => Promise<boolean>;

/** Loads the package when `get` is called, or after this time. Loading takes 50 ms: too long for a boot or a short drain. */
export function loadTerminatorLater(ms: number): {
  readonly get: () => Promise<Terminate>;
  readonly cancel: () => void;
} {
  let loading: Promise<Terminate> | null = null;
  const get = (): Promise<Terminate> => (loading ??= loadTerminator());
  const timer = setTimeout(() => void get(), ms);
  return {
    get,
    cancel: () => {
      clearTimeout(timer);
    },
  };
}

async function loadTerminator(): Promise<Terminate> {
  try {
    const { createHttpTerminator } = await import('http-terminator');
    return async (connections, graceMs) => {
      const server = Object.assign(new EventEmitter(), {
        close: (closed: () => void) => {
          closed();
        },
      });
      // This is the one cast: on(), emit() and close() are all that the package calls.
      const standIn = server as unknown as Server;
      const terminator = createHttpTerminator({ server: standIn, gracefulTerminationTimeout: graceMs });
      for (const { isSecure, socket } of connections) {
        server.emit(isSecure ? 'secureConnection' : 'connection', socket);
      }
      await terminator.terminate();
      return true;
    };
  } catch {
    return () => Promise.resolve(false);
  }
}
