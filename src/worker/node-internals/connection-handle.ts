/**
 * The handle below a connected `net.Socket`, of which Node.js documents nothing: which connection it is, and how reading and closing are
 * postponed while the connection migrates. Measured on Node 20, 22, 24 and 26.
 */
import type net from 'node:net';
import { rawHandleOf } from './raw-handle.ts';

export interface ConnectionHandle {
  readonly fd: number;
  readonly writeQueueSize: number;
  reading: boolean;
  readStart: (this: ConnectionHandle) => number;
  readStop: (this: ConnectionHandle) => number;
  /** Present only on a TCP handle. */
  getpeername?: (this: ConnectionHandle, out: object) => number;
  close: (this: ConnectionHandle) => void;
}

export function isConnectionHandle(value: unknown): value is ConnectionHandle {
  if (typeof value !== 'object' || value === null) return false;
  return ['readStart', 'readStop', 'close'].every((name) => typeof Reflect.get(value, name) === 'function');
}

/** The handle of a connection over TCP or a UNIX socket; null if it is closed, or of another kind. */
export function connectionHandleOf(socket: net.Socket): ConnectionHandle | null {
  const handle = rawHandleOf(socket);
  return isConnectionHandle(handle) && ['TCP', 'Pipe'].includes(handle.constructor.name) ? handle : null;
}

/**
 * Returns what identifies a connection in two workers: the client's address and port, or for a UNIX socket, whose clients have none, the inode of the
 * socket, which is the same in every process. Null if the client has disconnected.
 */
export function identityOf(handle: ConnectionHandle): string | null {
  if (handle.getpeername === undefined) return inodeOf(handle.fd);
  const out: { address?: string; port?: number } = {};
  if (handle.getpeername(out) !== 0 || out.address === undefined) return null;
  return `${out.address} ${out.port ?? 0}`;
}

function inodeOf(fd: number): string | null {
  try {
    // The reason for `bigint` is in inheritance.ts.
    return `inode ${process.getBuiltinModule('node:fs').fstatSync(fd, { bigint: true }).ino}`;
  } catch {
    return null;
  }
}

/** How many holds each handle has: a connection that has just arrived may migrate again before its first hold is released. */
const holds = new WeakMap<ConnectionHandle, number>();

/**
 * Stops reading, even if `net.Socket` starts it again (on `resume()` or `read()`). Returns a function, to be called once, that releases
 * this hold: after the last one, reading continues if the socket wants it.
 */
export function holdReading(handle: ConnectionHandle): () => void {
  holds.set(handle, (holds.get(handle) ?? 0) + 1);
  handle.readStop();
  handle.readStart = readNothing;
  return () => {
    const left = (holds.get(handle) ?? 1) - 1;
    holds.set(handle, left);
    if (left > 0) return;
    // The method of the class is set, and ours not deleted: V8 makes an object slow when it loses a property, and this one stays in use.
    const { readStart } = Object.getPrototypeOf(handle) as ConnectionHandle;
    handle.readStart = readStart;
    if (handle.reading) handle.readStart();
  };
}

const readNothing = (): number => 0;

/** The methods with which `net.Socket` closes its handle. */
const closingMethods = ['close', 'reset'];

/** Postpones closing the handle until the returned function is called. */
export function postponeClosing(handle: ConnectionHandle): () => void {
  const postponed: (() => unknown)[] = [];
  for (const name of closingMethods) {
    const close: unknown = Reflect.get(handle, name);
    if (typeof close !== 'function') continue;
    Reflect.set(handle, name, (...args: unknown[]) => {
      postponed.push(() => Reflect.apply(close, handle, args) as unknown);
      return 0;
    });
  }
  return () => {
    for (const name of closingMethods) Reflect.deleteProperty(handle, name);
    for (const close of postponed.splice(0)) close();
  };
}
