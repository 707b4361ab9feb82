/** Handles of libuv for datagram sockets, without a socket of `node:dgram` that would read from them. */
import { datagramHandle } from '../../shared/datagram-internals.ts';

/** The part of libuv's UDP handle that is used here. A negative result is a system error. */
export interface DatagramHandle {
  readonly fd: number;
  open(fd: number): number;
  bind(host: string, port: number, flags: number): number;
  bind6(host: string, port: number, flags: number): number;
  getsockname(out: { address?: string; port?: number }): number;
  recvStart(): number;
  unref(): void;
  close(): void;
  onmessage: (length: number, handle: unknown, bytes?: Uint8Array) => void;
}

/** Makes a handle that is not bound; null if this Node.js hides the class, which can only be reached through a socket. */
export function newDatagramHandle(): DatagramHandle | null {
  // Loaded only for programs that need it.
  const socket = process.getBuiltinModule('node:dgram').createSocket('udp4');
  const kind: unknown = datagramHandle(socket)?.constructor;
  socket.close();
  // Proven dispatch: the class of every such handle.
  return typeof kind === 'function' ? (Reflect.construct(kind, []) as DatagramHandle) : null;
}
