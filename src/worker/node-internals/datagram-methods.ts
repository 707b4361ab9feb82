/**
 * The handle of libuv behind a socket of `node:dgram`, and its methods, which can be replaced for one socket. Undocumented; `cluster` gives its
 * workers such handles (Node.js 20 to 26).
 */
import type { Socket } from 'node:dgram';
import { datagramHandle } from '../../shared/datagram-internals.ts';

/** The methods take a number of arguments that differs between versions. Most return 0, or the negative number of a system error. */
type Method = (this: SocketHandle, ...args: unknown[]) => unknown;

export interface SocketHandle {
  /** On a udp6 handle, the methods of these names are its `bind6`, `send6` and so on. */
  open: Method;
  bind: Method;
  send: Method;
  connect: Method;
  recvStart: Method;
  recvStop: Method;
  ref: Method;
  unref: Method;
  close: Method;
  addMembership: Method;
  dropMembership: Method;
  addSourceSpecificMembership: Method;
  dropSourceSpecificMembership: Method;
  /** Set by `node:dgram` before it calls `recvStart`. */
  onmessage?: Method;
}

const methods = [
  ...(['open', 'bind', 'send', 'connect', 'recvStart', 'recvStop', 'ref', 'unref', 'close'] as const),
  ...(['addMembership', 'dropMembership'] as const),
  ...(['addSourceSpecificMembership', 'dropSourceSpecificMembership'] as const),
];

/** The handle of a UDP socket; null if the socket is closed, or this Node.js keeps it elsewhere. */
export function handleOf(socket: Socket): SocketHandle | null {
  const handle = datagramHandle(socket);
  if (handle === null || methods.some((name) => typeof Reflect.get(handle, name) !== 'function')) return null;
  // Proven above.
  return handle as SocketHandle;
}

/** Calls `bound` before every `bind()` of a socket of this process, with its handle. */
export function beforeBind(bound: (handle: SocketHandle) => void): void {
  const { prototype } = process.getBuiltinModule('node:dgram').Socket;
  const original: unknown = Reflect.get(prototype, 'bind');
  if (typeof original !== 'function') return;
  const replacement = {
    bind(this: Socket, ...args: readonly unknown[]): unknown {
      const handle = handleOf(this);
      if (handle !== null) bound(handle);
      return Reflect.apply(original, this, args);
    },
  };
  Reflect.set(prototype, 'bind', Reflect.get(replacement, 'bind'));
}
