/**
 * The adapter of http-terminator, the last phase of a drain. It gets HTTP/1 connections alone, through an emitter that
 * stands in for their server: it would destroy WebSockets and HTTP/2 at once, and reject because the server has stopped.
 * It resolves as if drained at its own deadline, so whoever calls has to count.
 */
import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import type { Http1Connection } from '../tracking/requests.ts';

/**
 * Destroys idle connections at once and those with a request in flight after `graceMs`; resolves false when the package
 * cannot be loaded, as when it has been replaced on disk.
 */
export type Terminate = (connections: readonly Http1Connection[], graceMs: number) => Promise<boolean>;

/** Loads the package: 50 ms, so not at boot and not in a drain that is over soon. */
export async function loadTerminator(): Promise<Terminate> {
  try {
    const { createHttpTerminator } = await import('http-terminator');
    return async (connections, graceMs) => {
      const server = Object.assign(new EventEmitter(), {
        close: (closed: () => void) => {
          closed();
        },
      });
      // The one cast: on(), emit() and close() are all that it calls.
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
