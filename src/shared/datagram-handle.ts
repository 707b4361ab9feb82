/** The handle of libuv behind a socket of `node:dgram` (undocumented; found on Node.js 20, 22, 24 and 26). */
import type { Socket } from 'node:dgram';

/** What `node:dgram` knows of a socket; null: it is hidden in this Node.js. */
export function datagramState(socket: Socket): object | null {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  );
  const state: unknown = symbol === undefined ? null : Reflect.get(socket, symbol);
  return typeof state === 'object' ? state : null;
}

/** Null: the socket is closed, or its handle is hidden in this Node.js. */
export function datagramHandle(socket: Socket): object | null {
  const state = datagramState(socket);
  const handle: unknown = state === null ? null : Reflect.get(state, 'handle');
  return typeof handle === 'object' ? handle : null;
}
