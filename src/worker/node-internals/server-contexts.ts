/** The asynchronous contexts in which servers were told to listen, and in which Node.js calls them for each connection. */
import type net from 'node:net';
import { currentContext, type Context } from '../process/async-context.ts';

const contexts = new WeakMap<net.Server, Context>();

/** Call it when the server is told to listen. */
export function rememberContext(server: net.Server): void {
  contexts.set(server, currentContext());
}

/** Calls `action` in the context in which Node.js calls the listeners of the server. */
export function inContextOf<Result>(server: net.Server, action: () => Result): Result {
  const context = contexts.get(server);
  return context === undefined ? action() : context.run(action);
}

/**
 * Puts a handle from the master into the server's context: a handle calls back in the context in which it was created. `asyncReset` is not
 * documented; Node.js uses it for a connection that serves another request (20, 22, 24 and 26).
 */
export function putIntoContextOf(server: net.Server, handle: object): void {
  const reset: unknown = Reflect.get(handle, 'asyncReset');
  if (typeof reset !== 'function') return;
  inContextOf(server, () => {
    Reflect.apply(reset, handle, [handle]);
  });
}
