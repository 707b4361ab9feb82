/** The handle of libuv below a server or a connection of `node:net` (undocumented; found on Node.js 20, 22, 24 and 26). */
import type net from 'node:net';

/** Returns the handle of a server or socket; null or undefined if it is closed, or has none. */
export function rawHandleOf(owner: net.Server | net.Socket): unknown {
  return Reflect.get(owner, '_handle');
}
