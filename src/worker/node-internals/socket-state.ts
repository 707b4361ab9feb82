/**
 * The state of a socket apart from its bytes: its options and counters, which migrate with the connection, and properties that the
 * application has added, which cannot. Node.js does not document where it keeps them; measured on Node 20, 22, 24 and 26.
 */
import net from 'node:net';
import { hiddenSymbol } from '../../shared/hidden-property.ts';
import { rawHandleOf } from './raw-handle.ts';

/** The state that migrates. A missing field is not known. */
export interface SocketState {
  readonly noDelay?: boolean;
  readonly keepAlive?: KeepAlive;
  /** The timeout of `socket.setTimeout()`; not known if Node.js replaces it with the keep-alive timeout after each response. */
  readonly timeoutMs?: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** The number of requests so far; counted only if the server limits it. */
  readonly requests: number;
}

/** The keep-alive option. Times are in seconds, the unit of the kernel. */
interface KeepAlive {
  readonly isOn: boolean;
  readonly initialDelay: number;
  readonly interval: number | null;
  readonly count: number | null;
}

export const nothingKnown: SocketState = { bytesRead: 0, bytesWritten: 0, requests: 0 };

/** Properties that Node.js and its HTTP server add to a socket. */
const namesOfNode = [
  ...['parser', 'on', 'addListener', 'prependListener', 'setEncoding', '_paused', '_httpMessage'],
  ...['timeout', '_peername', '_sockname', 'server', '_server', 'domain'],
];
const symbolsOfNode = new Set(['kSetKeepAliveInterval', 'kSetKeepAliveCount', 'kSetTOS']);

/**
 * Properties that libraries add which count connections (http-shutdown, http-graceful-shutdown). They add them at 'connection', which is emitted in
 * the destination too.
 */
const namesMadeAgain = ['_isIdle', '_connectionId'];

let known: Set<PropertyKey> | null = null;

/** True if the application, or a library, has added a property to the socket. State in a WeakMap cannot be detected. */
export function hasStateOfApplication(socket: net.Socket): boolean {
  known ??= new Set([...Reflect.ownKeys(new net.Socket()), ...namesOfNode, ...namesMadeAgain]);
  for (const key of Reflect.ownKeys(socket)) {
    if (known.has(key)) continue;
    if (typeof key === 'string' || !symbolsOfNode.has(key.description ?? '')) return true;
    known.add(key);
  }
  return false;
}

/** A handle with its counters of bytes. */
interface Counted {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export function readSocketState(socket: net.Socket, requests: number): SocketState {
  const noDelay = readOption(socket, 'kSetNoDelay');
  const keepAlive = readKeepAliveOf(socket);
  return {
    ...(typeof noDelay === 'boolean' ? { noDelay } : {}),
    ...(keepAlive === null ? {} : { keepAlive }),
    ...(typeof socket.timeout === 'number' && !hasKeepAliveTimeout(socket)
      ? { timeoutMs: socket.timeout }
      : {}),
    bytesRead: socket.bytesRead,
    bytesWritten: socket.bytesWritten,
    requests,
  };
}

function readKeepAliveOf(socket: net.Socket): KeepAlive | null {
  const isOn = readOption(socket, 'kSetKeepAlive');
  if (typeof isOn !== 'boolean') return null;
  const number = (name: string): number | null => {
    const value = isOn ? readOption(socket, name) : null;
    return typeof value === 'number' ? value : null;
  };
  return {
    isOn,
    initialDelay: number('kSetKeepAliveInitialDelay') ?? 0,
    interval: number('kSetKeepAliveInterval'),
    count: number('kSetKeepAliveCount'),
  };
}

/** The symbols under which a socket keeps its options, by description. */
const optionSymbols = new Map<string, symbol>();

function readOption(socket: net.Socket, name: string): unknown {
  const found = optionSymbols.get(name) ?? hiddenSymbol(socket, name);
  if (found === undefined) return undefined;
  optionSymbols.set(name, found);
  return Reflect.get(socket, found);
}

function hasKeepAliveTimeout(socket: net.Socket): boolean {
  const server: unknown = Reflect.get(socket, 'server');
  return (
    typeof server === 'object' && server !== null && Number(Reflect.get(server, 'keepAliveTimeout') ?? 0) > 0
  );
}

/** Sets the options in the destination, whatever its server sets on the connections that it accepts. */
export function takeOverOptions(socket: net.Socket, { noDelay, keepAlive }: SocketState): void {
  // Node.js makes no system call if the option is set already.
  if (noDelay !== undefined) socket.setNoDelay(noDelay);
  if (keepAlive === undefined) return;
  const { isOn, initialDelay, interval, count } = keepAlive;
  const more = interval === null && count === null ? [] : [(interval ?? 0) * 1_000, count ?? 0];
  // Node.js 24 added the last two parameters.
  const setKeepAlive = Reflect.get(socket, 'setKeepAlive') as (...args: unknown[]) => unknown;
  Reflect.apply(setKeepAlive, socket, [isOn, initialDelay * 1_000, ...more]);
}

/** Makes `bytesRead` and `bytesWritten` of the socket continue from the counts of the source. */
export function takeOverCounts(handle: object, { bytesRead, bytesWritten }: SocketState): void {
  for (const [name, before] of Object.entries({ bytesRead, bytesWritten })) {
    if (before === 0) continue;
    const prototype: object | null = Reflect.getPrototypeOf(handle);
    if (prototype === null) continue;
    Object.defineProperty(handle, name, {
      get: () => before + Number(Reflect.get(prototype, name, handle)),
      configurable: true,
    });
  }
}

/** Returns the number of bytes that this worker has read, without those read before the connection migrated to it. */
export function bytesReadByThisWorker(socket: net.Socket): number {
  const handle = rawHandleOf(socket);
  if (typeof handle !== 'object' || handle === null || !Object.hasOwn(handle, 'bytesRead'))
    return socket.bytesRead;
  const prototype: object | null = Reflect.getPrototypeOf(handle);
  return prototype === null
    ? socket.bytesRead
    : (Reflect.get(prototype, 'bytesRead', handle) as Counted['bytesRead']);
}

/** Checks the state that another worker sent. Fields of the wrong type count as not known. */
export function parseSocketState(value: unknown): SocketState {
  const read = (name: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  const count = (name: string): number => {
    const number = read(name);
    return typeof number === 'number' && number > 0 ? number : 0;
  };
  const noDelay = read('noDelay');
  const timeoutMs = read('timeoutMs');
  const keepAlive = readKeepAlive(read('keepAlive'));
  return {
    ...(typeof noDelay === 'boolean' ? { noDelay } : {}),
    ...(keepAlive === null ? {} : { keepAlive }),
    ...(typeof timeoutMs === 'number' ? { timeoutMs } : {}),
    bytesRead: count('bytesRead'),
    bytesWritten: count('bytesWritten'),
    requests: count('requests'),
  };
}

function readKeepAlive(value: unknown): KeepAlive | null {
  if (typeof value !== 'object' || value === null) return null;
  const { isOn, initialDelay, interval, count } = value as Readonly<Record<string, unknown>>;
  if (typeof isOn !== 'boolean' || typeof initialDelay !== 'number') return null;
  return {
    isOn,
    initialDelay,
    interval: typeof interval === 'number' ? interval : null,
    count: typeof count === 'number' ? count : null,
  };
}
