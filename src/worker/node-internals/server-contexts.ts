/** The contexts in which the servers of this process were told to listen: that is where Node.js calls them for each connection. */
import type net from 'node:net';
import { currentContext, type Context } from '../process/async-context.ts';

const contexts = new WeakMap<net.Server, Context>();

/** The server is told to listen now. */
export function rememberContext(server: net.Server): void {
  contexts.set(server, currentContext());
}

/** Calls `action` as Node.js does when the server has something to say. */
export function inContextOf<Result>(server: net.Server, action: () => Result): Result {
  const context = contexts.get(server);
  return context === undefined ? action() : context.run(action);
}

/**
 * Makes the server's context that of a handle which came from the master: whatever comes of it, comes in the context in which it was made.
 * `asyncReset` is not documented; Node.js does the same with a connection that is used for another request (20, 22, 24 and 26).
 */
export function putIntoContextOf(server: net.Server, handle: object): void {
  const reset: unknown = Reflect.get(handle, 'asyncReset');
  if (typeof reset !== 'function') return;
  inContextOf(server, () => {
    Reflect.apply(reset, handle, [handle]);
  });
}
