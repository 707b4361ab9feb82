/** libuv's handles of sockets below `net.Server`: they hold a socket, and neither poll it nor accept from it. */
import { closeSync } from 'node:fs';
import net from 'node:net';
import { GracefulRunError } from '../../shared/errors.ts';
import { systemErrorCode } from '../system-calls/errno.ts';
import { isBlocking } from '../system-calls/descriptor-calls.ts';

/** The part of libuv's handles of sockets that is used here. */
export interface ServerHandle {
  readonly fd: number;
  close(): void;
}

export interface TcpHandle extends ServerHandle {
  getsockname(out: { address?: string; port?: number }): number;
}

/** `net._createServerHandle`, which `cluster` uses to bind: undocumented, the same on Node.js 20 to 26. A negative result is -errno. */
type CreateServerHandle = (
  host: string | null,
  port: number | null,
  family: 4 | 6 | null,
  fd: number,
  flags?: number,
) => TcpHandle | number;

export function createServerHandle(): CreateServerHandle {
  const create: unknown = Reflect.get(net, '_createServerHandle');
  if (typeof create === 'function') return create as CreateServerHandle;
  throw new GracefulRunError(
    'platformUnsupported',
    `cannot bind: Node.js ${process.version} has no way to bind without accepting`,
    {
      hint: 'use a Node.js version that graceful-run was tested with: 20, 22, 24 or 26',
    },
  );
}

/** A handle that only holds the descriptor: Node.js has none for a datagram socket that nothing reads from. */
export function descriptorOnly(fd: number): ServerHandle {
  return {
    fd,
    close() {
      closeSync(fd);
    },
  };
}

/**
 * A handle for a socket from which workers accept already, or the name of the error. libuv makes every socket of its handles non-blocking, for all
 * processes. So one on which accept(2) waits, as programs other than Node.js expect, gets a handle that only holds it.
 */
export function handleOfServed(fd: number): ServerHandle | string {
  return isBlocking(fd) ? descriptorOnly(fd) : handleOver(fd);
}

/** Makes a handle for a socket, and returns it or the name of the error. The handle owns the descriptor from then on. */
export function handleOver(fd: number): TcpHandle | string {
  const handle = createServerHandle()(null, null, null, fd);
  return typeof handle === 'number' ? systemErrorCode(handle) : handle;
}
