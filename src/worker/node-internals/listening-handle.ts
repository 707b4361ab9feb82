/**
 * The listening handles of Node.js below `net.Server`, which are not documented: no other file touches them. It must not
 * know who listens or why. Measured on Node 20, 22, 24 and 26; `cluster` is built on the same function.
 */

/** A handle of a TCP server, as far as we touch it. The undocumented `listen(…)` form `{_handle}` takes one. */
export interface RawHandle {
  listen: (this: RawHandle, backlog: number) => number;
  close: (this: RawHandle, callback?: () => void) => void;
  ref: (this: RawHandle) => void;
  unref: (this: RawHandle) => void;
  getsockname: (this: RawHandle, out: object) => number;
  getpeername?: (this: RawHandle, out: object) => number;
  /** What a `net.Server` has put there: makes a socket of an accepted handle, and emits 'connection'. */
  onconnection?: (this: RawHandle, status: number, accepted: object) => void;
}

type CreateServerHandle = (
  address: string | null,
  port: number | null,
  addressType: number | null,
  fd: number,
  flags?: number,
) => unknown;

// The one cast: the types of Node.js do not have it.
const { _createServerHandle: createServerHandle } = process.getBuiltinModule('node:net') as unknown as {
  _createServerHandle: CreateServerHandle;
};

export function isRawHandle(value: unknown): value is RawHandle {
  if (typeof value !== 'object' || value === null) return false;
  return ['listen', 'close', 'ref', 'unref', 'getsockname'].every(
    (name) => typeof Reflect.get(value, name) === 'function',
  );
}

/** Binds a UNIX socket to the name. `taken`: another socket has it; null: it cannot be bound for another reason. */
export function bindName(name: string): object | 'taken' | null {
  const bound = attempt(() => createServerHandle(name, -1, -1, -1));
  if (typeof bound === 'object') return bound;
  const { EADDRINUSE } = process.getBuiltinModule('node:os').constants.errno;
  return bound === -EADDRINUSE ? 'taken' : null;
}

/** Null when it throws, as where a permission is missing. */
function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch {
    return null;
  }
}

/** Closes what has come as a handle, of whatever kind. */
export function closeHandle(value: unknown): void {
  const close: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'close') : null;
  if (typeof close === 'function') Reflect.apply(close, value, []);
}

/**
 * Calls `bound` before something in this process binds an address below `net.Server`: a cluster does, whose processes share the
 * socket (SCHED_NONE) instead of getting connections from their primary.
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

/** A handle over an inherited file descriptor; null when it is not a socket (any more). */
export function openInherited(fd: number): RawHandle | null {
  const handle = createServerHandle(null, null, null, fd);
  return isRawHandle(handle) ? handle : null;
}

/** Calls `closed` when the handle is closed, by whomever. */
export function onClosed(handle: RawHandle, closed: () => void): void {
  const { close } = handle;
  handle.close = (callback) => {
    handle.close = close;
    closed();
    close.call(handle, callback);
  };
}

/**
 * A handle over an inherited descriptor that nothing polls: while it `mayStay`, closing it only puts it aside, for another one to be
 * opened over the same descriptor. Calls `closed` when it is closed, and says whether it really was.
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
 * What is done with `closed`, by code that cannot be given another handle, is done with `after`; and what `after` accepts is given to
 * that code.
 */
export function passOn(closed: RawHandle, after: RawHandle): void {
  Reflect.set(after, 'onconnection', closed.onconnection?.bind(closed));
  for (const name of ['close', 'ref', 'unref', 'getsockname'] as const)
    Reflect.set(closed, name, (...args: unknown[]) => Reflect.apply(after[name], after, args) as unknown);
}

/** A handle that is held back: its server reports that it listens, and accepts nothing until `listen`. */
export interface HeldHandle {
  /** Begins to accept. Returns 0 or the system's negative error number. */
  listen(backlog: number): number;
  /** Stops holding it back without listening. */
  letGo(): void;
}

/**
 * Holds a handle back. Nothing polls the socket meanwhile, so killing the process cuts nobody; but such a handle does
 * not keep the process alive either, so a timer does, for as long as the application has the server ref'd.
 */
export function holdBack(handle: RawHandle): HeldHandle {
  const { listen, ref, unref } = handle;
  const alive = setInterval(() => undefined, 2 ** 31 - 1);
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

/** Could a server of this process listen on the numeric address, on some port? */
export function canBind(host: string): boolean {
  const handle = createServerHandle(host, 0, host.includes(':') ? 6 : 4, -1, 0);
  if (!isRawHandle(handle)) return false;
  const isBound = handle.getsockname({}) === 0;
  handle.close();
  return isBound;
}

/**
 * A handle for a server that shall see itself listening and never accept: bound somewhere on the loopback, never
 * listened on, saying the address that was asked for (any port: its own).
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
