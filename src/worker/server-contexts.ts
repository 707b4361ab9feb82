/** The contexts in which the servers of this process were told to listen: that is where Node.js calls them for each connection. */
import net from 'node:net';
import { currentContext, type Context } from './context.ts';
import type { RawHandle } from './raw-handle.ts';

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

/** Gives a connection to the server that listens with the handle, as if it had come there. */
export function acceptFor(listening: RawHandle, accepted: object): void {
  const accept = (): void => listening.onconnection?.(0, accepted);
  const server = serverOf(listening);
  if (server === null) accept();
  else inContextOf(server, accept);
}

/** Node.js notes it under a symbol of its own. */
function serverOf(handle: RawHandle): net.Server | null {
  const values = Object.getOwnPropertySymbols(handle).map((symbol): unknown => Reflect.get(handle, symbol));
  return values.find((value) => value instanceof net.Server) ?? null;
}
