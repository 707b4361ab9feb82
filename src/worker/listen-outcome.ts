/** How a listen ends. It must not know who waits for it, or why. */
import { EventEmitter } from 'node:events';
import type net from 'node:net';

/**
 * Calls `ended` once, in the turn after the one in which the server listens, has failed or was closed: an error that
 * the application does not handle has ended the process by then.
 */
export function whenListenEnded(server: net.Server, ended: () => void): void {
  // The types of a server know its own events only.
  const emitter: EventEmitter = server;
  const events = ['listening', EventEmitter.errorMonitor, 'close'];
  const end = (): void => {
    for (const event of events) emitter.off(event, end);
    setImmediate(ended);
  };
  for (const event of events) emitter.on(event, end);
}
