/** The handle of libuv behind a socket of `node:dgram` (undocumented; found on Node.js 20, 22, 24 and 26). */
import type { Socket } from 'node:dgram';
import { hiddenProperty } from './hidden-property.ts';

/** The internal state of a socket of `node:dgram`; null if it is hidden in this Node.js. */
export function datagramState(socket: Socket): object | null {
  const state = hiddenProperty(socket, 'state symbol');
  return typeof state === 'object' ? state : null;
}

/** The handle of a UDP socket; null if the socket is closed, or its handle is hidden in this Node.js. */
export function datagramHandle(socket: Socket): object | null {
  const state = datagramState(socket);
  const handle: unknown = state === null ? null : Reflect.get(state, 'handle');
  return typeof handle === 'object' ? handle : null;
}
