/**
 * The listening handles of Node.js below `net.Server`: opens them, and changes what they do. Not documented (Node 20, 22, 24 and 26);
 * `cluster` is built on the same function.
 */
import { longestTimerMs } from '../../shared/durations.ts';
import { isRecord } from '../../shared/protocol.ts';

/** The part of the handle of a TCP server, or of one on a UNIX socket, that is used here. */
export interface RawHandle {
  listen: (this: RawHandle, backlog: number) => number;
  close: (this: RawHandle, callback?: () => void) => void;
  ref: (this: RawHandle) => void;
  unref: (this: RawHandle) => void;
  /** Present only on a TCP handle. */
  getsockname?: (this: RawHandle, out: object) => number;
  getpeername?: (this: RawHandle, out: object) => number;
  /** Set by `net.Server`: makes a socket of an accepted handle, and emits 'connection'. */
  onconnection?: (this: RawHandle, status: number, accepted: object) => void;
}

type CreateServerHandle = (
  address: string | null,
  port: number | null,
  addressType: number | null,
  fd: number,
  flags?: number,
) => unknown;

// This is the one cast: the types of Node.js lack the function.
const { _createServerHandle: createServerHandle } = process.getBuiltinModule('node:net') as unknown as {
  _createServerHandle: CreateServerHandle;
};

export function isRawHandle(value: unknown): value is RawHandle {
  if (!isRecord(value)) return false;
  return ['listen', 'close', 'ref', 'unref'].every((name) => typeof Reflect.get(value, name) === 'function');
}

/** Binds a UNIX socket to the name. Returns `taken` if another socket has it, or null if it cannot be bound for another reason. */
export function bindName(name: string): object | 'taken' | null {
  const bound = attempt(() => createServerHandle(name, -1, -1, -1));
  if (typeof bound === 'object') return bound;
  const { EADDRINUSE } = process.getBuiltinModule('node:os').constants.errno;
  return bound === -EADDRINUSE ? 'taken' : null;
}

/** Calls `action` and returns its result; null if it throws, for instance because a permission is missing. */
function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch {
    return null;
  }
}

/** Closes a handle of any kind that has arrived with a message. */
export function closeHandle(value: unknown): void {
  const close: unknown = isRecord(value) ? value['close'] : null;
  if (typeof close === 'function') Reflect.apply(close, value, []);
}

/**
 * Calls `bound` before code of this process binds an address below `net.Server`, as a cluster does whose processes share the socket
 * (SCHED_NONE) instead of getting connections from their primary.
 */
export function beforeBareBind(bound: (host: string | null, port: number) => void): void {
  const net = process.getBuiltinModule('node:net');
  const bare = (...args: Parameters<CreateServerHandle>): unknown => {
    const [host, port] = args;
    if (typeof port === 'number' && port > 0) bound(host, port);
    return createServerHandle(...args);
  };
  Reflect.set(net, '_createServerHandle', bare);
}

/** Opens a handle over an inherited file descriptor; null if that is not a socket, or no longer open. */
export function openInherited(fd: number): RawHandle | null {
  const handle = createServerHandle(null, null, null, fd);
  return isRawHandle(handle) ? handle : null;
}

/** Calls `closed` when the handle is closed. */
export function onClosed(handle: RawHandle, closed: () => void): void {
  const { close } = handle;
  handle.close = (callback) => {
    handle.close = close;
    closed();
    close.call(handle, callback);
  };
}

/**
 * Keeps the descriptor open when the handle is closed while it `mayStay`, so that another handle can be opened over it. Only for a handle
 * that is not polled. Calls `closed` when the handle is closed; `isClosed` tells whether the descriptor was closed, too.
 */
export function putAside(
  handle: RawHandle,
  mayStay: () => boolean,
  closed: (isClosed: boolean) => void,
): void {
  const { close } = handle;
  handle.close = (callback) => {
    handle.close = close;
    if (!mayStay()) {
      closed(true);
      close.call(handle, callback);
      return;
    }
    closed(false);
    if (callback !== undefined) setImmediate(callback);
  };
}

/**
 * Forwards calls of `closed` to `after`, and gives connections that `after` accepts to the owner of `closed`. For code that keeps its handle and
 * cannot be given another one.
 */
export function forwardTo(closed: RawHandle, after: RawHandle): void {
  Reflect.set(after, 'onconnection', closed.onconnection?.bind(closed));
  for (const name of ['close', 'ref', 'unref', 'getsockname'] as const) {
    const method: unknown = after[name];
    if (typeof method === 'function')
      Reflect.set(closed, name, (...args: unknown[]) => Reflect.apply(method, after, args) as unknown);
  }
}

/** A handle that is held back: its server reports that it listens, and accepts nothing until `listen`. */
export interface HeldHandle {
  /** Begins to accept. Returns 0 or the system's negative error number. */
  listen(backlog: number): number;
  /** Stops holding it back without listening. */
  letGo(): void;
}

/**
 * Holds a handle back. The socket is not polled meanwhile, so killing the process cuts no connection. Because such a handle does not keep
 * the process alive, a timer does, for as long as the application has the server ref'd.
 */
export function holdBack(handle: RawHandle): HeldHandle {
  const { listen, ref, unref } = handle;
  const alive = setInterval(() => undefined, longestTimerMs);
  handle.listen = () => 0;
  handle.ref = () => {
    alive.ref();
    ref.call(handle);
  };
  handle.unref = () => {
    alive.unref();
    unref.call(handle);
  };
  const release = (): void => {
    clearInterval(alive);
    Object.assign(handle, { listen, ref, unref });
  };
  onClosed(handle, release);
  return {
    letGo: release,
    listen(backlog) {
      release();
      return handle.listen(backlog);
    },
  };
}

/** True if a server of this process could listen on the numeric address, on some port. */
export function canBind(host: string): boolean {
  const handle = createServerHandle(host, 0, host.includes(':') ? 6 : 4, -1, 0);
  if (!isRawHandle(handle)) return false;
  const isBound = handle.getsockname?.({}) === 0;
  handle.close();
  return isBound;
}

/**
 * Creates a handle for a server that should appear to listen and never accepts. It is bound to the loopback and not listened on, and reports the
 * address that was asked for; for port 0, its own.
 */
export function standInHandle(host: string | null, port: number): RawHandle | null {
  const handle = createServerHandle('127.0.0.1', 0, 4, -1, 0);
  if (!isRawHandle(handle)) return null;
  handle.listen = () => 0;
  if (port !== 0) {
    const address = host === null ? '::' : host === 'localhost' ? '127.0.0.1' : host;
    handle.getsockname = (out) => {
      Object.assign(out, { address, family: address.includes(':') ? 'IPv6' : 'IPv4', port });
      return 0;
    };
  }
  return handle;
}
