/**
 * Binds and holds a listening socket without ever accepting from it: clients queue in the kernel until a worker
 * takes them. libuv is kept out of it: a `net.Server` here would accept connections and lose them.
 */
import type { GracefulRunError } from '../../shared/errors.ts';
import { listen, shutListener } from '../system-calls/socket-calls.ts';
import { systemErrorCode } from '../system-calls/errno.ts';
import { formatAddress, type SocketAddress } from '../../shared/format-address.ts';
import type { TcpListenerPlan, TcpOptions } from '../config/plan.ts';
import { addressError } from './address-errors.ts';
import { thisMachine } from './this-machine.ts';
import { createListenerSlots, type ListenerSlots } from './listener-slots.ts';
import { ipVersion } from './numeric-address.ts';
import { createServerHandle, handleOver, type ServerHandle, type TcpHandle } from './server-handle.ts';

/** A listening socket that the master holds. */
export interface BoundListener {
  readonly name: string;
  readonly address: SocketAddress;
  readonly backlog: number;
  readonly fd: number;
  /** The handle that `ChildProcess.send()` can send to a worker. */
  readonly handle: ServerHandle;
  /** Whether the address is still undecided: the operator has named none and nothing serves yet, so what the program asks for may take its place. */
  readonly isUndecided: boolean;
  /** The name of the declared listener of which this is one of several sockets; null if this is the declared listener itself. */
  readonly standsFor: string | null;
  /** The host name whose address was bound. Missing if it was bound by a numeric address, or on every address. */
  readonly hostName?: string;
  /** Where the socket is really bound, if it stands in for one with another address. */
  readonly boundAt?: SocketAddress;
  /** Whether the master was started with the socket. Missing if the master has bound it. */
  readonly isInherited?: boolean;
  /** Whether workers of a master that was killed still accept from the socket, which was taken over from them. Missing if it was not. */
  readonly isServedElsewhere?: () => boolean;
  /** The inode of the file of a UNIX socket. Missing if there is no file, or it belongs to the process that has bound the socket. */
  readonly file?: number;
  readonly slots: ListenerSlots;
  /** Closes the master's copy; workers keep theirs. While the socket is shared, it stays open. A second call does nothing. */
  close(): void;
  /**
   * Ends the listening for every process that holds a copy, so that connections in the queue are reset, and then closes the socket. While it is shared,
   * and if it is a UDP socket, it is only closed, and false is returned.
   */
  shut(): boolean;
  /** Returns the same socket under another name, or with another length of its queue. It is open until both are closed. */
  share(as: Partial<Pick<BoundListener, 'name' | 'backlog' | 'standsFor' | 'hostName'>>): BoundListener;
}

/** The fields of a listener, without its functions. */
export type ListenerFields = Omit<BoundListener, 'slots' | 'close' | 'shut' | 'share'>;

/**
 * Binds and listens once, on every address or on a numeric one. Errors: `addressInUse`; `addressUnusable` for every other reason why an address cannot be
 * bound. Both say what to do.
 */
export async function bindListener(options: TcpListenerPlan): Promise<BoundListener> {
  const bound = await tryListener(options);
  if (typeof bound === 'string') throw bindError(options, bound);
  return bound;
}

/** As bindListener, but returns the name of the error (`EADDRINUSE` …) instead of throwing an error. */
export async function tryListener(options: TcpListenerPlan): Promise<BoundListener | string> {
  const { host, name, port, backlog } = options;
  const bound = await bindOnce(options);
  if (typeof bound === 'string') return bound;
  // With SO_REUSEADDR, two sockets may be bound to one address as long as neither listens. So only listen(2) shows whether the address is free.
  const problem = await listen(bound.fd, backlog);
  if (problem !== null) {
    bound.close();
    return problem;
  }
  const address: { address?: string; port?: number } = {};
  bound.getsockname(address);
  return holdListener({
    name,
    address: { type: 'tcp', host: address.address ?? host ?? '::', port: address.port ?? port },
    backlog,
    fd: bound.fd,
    handle: bound,
    isUndecided: host === null,
    standsFor: null,
  });
}

/** A listener over a socket that listens. `closed` is called when nothing holds it any more. */
export function holdListener(fields: ListenerFields, closed: () => void = () => undefined): BoundListener {
  let users = 0;
  const sockets = createListenerSlots(fields);
  const hold = (own: ListenerFields): BoundListener => {
    users += 1;
    let isOpen = true;
    const slots = sockets.view();
    /** Closes this view. Returns whether that has closed the socket. */
    const close = (end: () => void): boolean => {
      if (!isOpen) return false;
      isOpen = false;
      slots.direct(new Set(), false);
      users -= 1;
      if (users > 0) return false;
      end();
      return true;
    };
    const end = (): void => {
      sockets.close();
      own.handle.close();
      closed();
    };
    return {
      ...own,
      slots,
      close: () => {
        close(end);
      },
      shut: () =>
        close(() => {
          // For UDP, shutdown(2) would prevent draining workers from answering.
          if (own.address.type !== 'udp' && own.isServedElsewhere?.() !== true) shutListener(own.fd);
          sockets.shut();
          end();
        }) && own.address.type !== 'udp',
      share: (as) => hold({ ...own, ...as }),
    };
  };
  return hold(fields);
}

/** The listener as a worker that accepts from this queue inherits it. Errors: `addressUnusable`. */
export function listenerOfQueue(listener: BoundListener, queue: number): BoundListener {
  const socket = listener.slots.socketOf(queue);
  return socket === null ? listener : { ...listener, ...socket };
}

/**
 * The error that bindListener would throw at the moment, on every address or on a numeric one; null if it would succeed. It binds for a moment and does
 * not listen, so that no client can connect, and no process that binds the same address in the meantime fails. Rejects with `platformUnsupported`.
 */
export async function probeAddress(options: TcpListenerPlan): Promise<GracefulRunError | null> {
  const bound = await bindOnce(options);
  if (typeof bound === 'string') return bindError(options, bound);
  bound.close();
  return null;
}

async function bindOnce({ host, port, options }: TcpListenerPlan): Promise<TcpHandle | string> {
  const bound = await bind(host ?? '::', port, options);
  // This machine has no IPv6, or it is switched off by the kernel's command line.
  const isWithoutIPv6 = bound === 'EAFNOSUPPORT' || bound === 'EADDRNOTAVAIL' || bound === 'EINVAL';
  return host === null && isWithoutIPv6 ? bind('0.0.0.0', port, options) : bound;
}

/** Binds a socket. Returns a handle, or the name of the error. */
async function bind(
  host: string,
  port: number,
  options: TcpOptions | undefined,
): Promise<TcpHandle | string> {
  if (options !== undefined) {
    const { bindTcpSocket } = await import('./tcp-socket.ts');
    const fd = await bindTcpSocket(host, port, options);
    return typeof fd === 'string' ? fd : handleOver(fd);
  }
  const family = ipVersion(host) === 6 ? 6 : 4;
  const handle = createServerHandle()(host, port, family, -1, 0);
  if (typeof handle === 'number') return systemErrorCode(handle);
  // libuv reports EADDRINUSE only at listen(); getsockname reports it at once.
  const error = handle.getsockname({});
  if (error === 0) return handle;
  handle.close();
  return systemErrorCode(error);
}

/** The error for a TCP address that cannot be bound. `code`: the error of the system. */
export function bindError({ host, port }: TcpListenerPlan, code: string): GracefulRunError {
  const where = host === null ? `port ${port}` : formatAddress(host, port);
  return addressError(where, code, { host, port }, thisMachine(true));
}
