/** libuv's handles of sockets below `net.Server`: they hold a socket, and neither poll it nor accept from it. */
import net from 'node:net';
import { GracefulRunError } from '../../shared/errors.ts';
import { systemErrorCode } from '../system-calls/errno.ts';

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

/** Makes a handle for a socket, and returns it or the name of the error. The handle owns the descriptor from then on. */
export function handleOver(fd: number): TcpHandle | string {
  const handle = createServerHandle()(null, null, null, fd);
  return typeof handle === 'number' ? systemErrorCode(handle) : handle;
}
