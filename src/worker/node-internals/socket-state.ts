/**
 * What a connection has beside its bytes: what the application keeps at its socket, which cannot move, and options and counts, which
 * can. Where Node.js keeps them is not documented: no other file reads it. Measured on Node 20, 22, 24 and 26.
 */
import net from 'node:net';

/** Goes along with a connection. What is missing was not known. */
export interface SocketState {
  readonly noDelay?: boolean;
  readonly keepAlive?: KeepAlive;
  /** `socket.setTimeout()`, where Node.js does not replace it by the keep-alive timeout after each response. */
  readonly timeoutMs?: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Requests so far; counted only where the server limits them. */
  readonly requests: number;
}

/** In seconds, as the kernel has it. */
interface KeepAlive {
  readonly isOn: boolean;
  readonly initialDelay: number;
  readonly interval: number | null;
  readonly count: number | null;
}

export const nothingKnown: SocketState = { bytesRead: 0, bytesWritten: 0, requests: 0 };

/** What Node.js and its HTTP server put at a socket in the course of its life. */
const namesOfNode = [
  ...['parser', 'on', 'addListener', 'prependListener', 'setEncoding', '_paused', '_httpMessage'],
  ...['timeout', '_peername', '_sockname', 'server', '_server', 'domain'],
];
const symbolsOfNode = new Set(['kSetKeepAliveInterval', 'kSetKeepAliveCount', 'kSetTOS']);

/**
 * Notes of libraries that count connections (http-shutdown, http-graceful-shutdown): made at 'connection', which the next worker
 * emits as well.
 */
const namesMadeAgain = ['_isIdle', '_connectionId'];

let known: Set<PropertyKey> | null = null;

/** Does the application, or something that it uses, keep something at the socket? What it keeps in a WeakMap cannot be seen. */
export function hasStateOfApplication(socket: net.Socket): boolean {
  known ??= new Set([...Reflect.ownKeys(new net.Socket()), ...namesOfNode, ...namesMadeAgain]);
  for (const key of Reflect.ownKeys(socket)) {
    if (known.has(key)) continue;
    if (typeof key === 'string' || !symbolsOfNode.has(key.description ?? '')) return true;
    known.add(key);
  }
  return false;
}

/** A handle as Node.js reads its counters from it. */
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

/** The symbols under which every socket has its options. */
const optionSymbols = new Map<string, symbol>();

function readOption(socket: net.Socket, name: string): unknown {
  const found =
    optionSymbols.get(name) ??
    Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
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

/** Makes it so in the worker that has the connection now, whatever its server does to those that it accepts. */
export function takeOverOptions(socket: net.Socket, { noDelay, keepAlive }: SocketState): void {
  // Node.js does nothing where it is so already.
  if (noDelay !== undefined) socket.setNoDelay(noDelay);
  if (keepAlive === undefined) return;
  const { isOn, initialDelay, interval, count } = keepAlive;
  const more = interval === null && count === null ? [] : [(interval ?? 0) * 1_000, count ?? 0];
  // The last two since Node.js 24.
  const setKeepAlive = Reflect.get(socket, 'setKeepAlive') as (...args: unknown[]) => unknown;
  Reflect.apply(setKeepAlive, socket, [isOn, initialDelay * 1_000, ...more]);
}

/** Bytes that another worker has read and written before: `bytesRead` and `bytesWritten` of the socket go on from there. */
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

/** Bytes that this worker has read. */
export function bytesReadHere(socket: net.Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !Object.hasOwn(handle, 'bytesRead'))
    return socket.bytesRead;
  const prototype: object | null = Reflect.getPrototypeOf(handle);
  return prototype === null
    ? socket.bytesRead
    : (Reflect.get(prototype, 'bytesRead', handle) as Counted['bytesRead']);
}

/** As a line of another worker has it, checked by hand; nothing of it is known when it is of another kind. */
export function readStateOfLine(value: unknown): SocketState {
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
