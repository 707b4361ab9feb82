/** Loads the C library of the system through koffi, at the first call. The other files here say what its functions do. */
import type koffi from 'koffi';
import { systemErrorCode } from './errno.ts';

export type Library = ReturnType<typeof koffi.load>;

interface Calls {
  readonly listen: (fd: number, backlog: number) => number;
  readonly fcntl: (fd: number, command: number, type: 'int', argument: number) => number;
  readonly flock: (fd: number, operation: number) => number;
  readonly socketpair: (domain: number, type: number, protocol: number, pair: number[]) => number;
  readonly shutdown: (fd: number, how: number) => number;
  readonly close: (fd: number) => number;
  readonly syscall: (call: number, ...argumentsWithTypes: (string | number | null)[]) => number;
  readonly exit: (code: number) => void;
}

/** The calls that make a socket. Only a master that binds beside another socket, to a path or before it reads an address needs them. */
interface SocketCalls {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly setsockopt: (fd: number, level: number, name: number, value: number[], size: number) => number;
  readonly bind: (fd: number, address: Uint8Array, size: number) => number;
  readonly connect: (fd: number, address: Uint8Array, size: number) => number;
}

let library: Library | null = null;
let errno: (() => number) | null = null;
let calls: Calls | null = null;
let socketCalls: SocketCalls | null = null;

/** Loads the C library, which declares its functions for others: `library.func('int close(int)')`. */
export async function loadLibrary(): Promise<Library> {
  if (library !== null) return library;
  const { default: loaded } = await import('koffi');
  errno = () => loaded.errno();
  library ??= loaded.load(null);
  return library;
}

async function load(): Promise<Calls> {
  const from = await loadLibrary();
  const listen: Calls['listen'] = from.func('int listen(int, int)');
  const fcntl: Calls['fcntl'] = from.func('int fcntl(int, int, ...)');
  const flock: Calls['flock'] = from.func('int flock(int, int)');
  const socketpair: Calls['socketpair'] = from.func('int socketpair(int, int, int, _Out_ int *)');
  const shutdown: Calls['shutdown'] = from.func('int shutdown(int, int)');
  const close: Calls['close'] = from.func('int close(int)');
  const syscall: Calls['syscall'] = from.func('long syscall(long, ...)');
  const exit: Calls['exit'] = from.func('void _exit(int)');
  return { listen, fcntl, flock, socketpair, shutdown, close, syscall, exit };
}

/** Loads the system calls, for the functions that may only be called afterwards. */
export async function loadSystemCalls(): Promise<void> {
  calls ??= await load();
}

/** The calls, loaded if they were not. */
export async function loadCalls(): Promise<Calls> {
  calls ??= await load();
  return calls;
}

/** The calls; null before loadSystemCalls(). */
export function loadedCalls(): Calls | null {
  return calls;
}

/** The C library; null before loadLibrary() or loadSystemCalls(). */
export function loadedLibrary(): Library | null {
  return library;
}

/** The calls that make a socket; null before loadSystemCalls(). */
export function loadedSocketCalls(): SocketCalls | null {
  if (library === null) return null;
  socketCalls ??= loadSocketCalls(library);
  return socketCalls;
}

function loadSocketCalls(from: Library): SocketCalls {
  const socket: SocketCalls['socket'] = from.func('int socket(int, int, int)');
  const setsockopt: SocketCalls['setsockopt'] = from.func(
    'int setsockopt(int, int, int, _In_ int *, unsigned int)',
  );
  const bind: SocketCalls['bind'] = from.func('int bind(int, _In_ uint8_t *, unsigned int)');
  const connect: SocketCalls['connect'] = from.func('int connect(int, _In_ uint8_t *, unsigned int)');
  return { socket, setsockopt, bind, connect };
}

/** The name of the error of the last call that failed (errno(3)); ENOSYS if the library is not loaded. */
export function lastError(): string {
  return errno === null ? 'ENOSYS' : systemErrorCode(errno());
}
