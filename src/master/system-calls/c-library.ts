/** The C library of the system, loaded through koffi when it is first needed. What its functions do is said where they are called. */
import type Koffi from 'koffi';
import { systemErrorCode } from './errno.ts';

export type Library = ReturnType<typeof Koffi.load>;

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

/** The calls that make a socket and set it up. Declared when they are first needed: many masters do without them. */
interface SocketCalls {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly setsockopt: (fd: number, level: number, name: number, value: number[], size: number) => number;
  readonly bind: (fd: number, address: Uint8Array, size: number) => number;
  readonly connect: (fd: number, address: Uint8Array, size: number) => number;
}

interface Loaded {
  readonly library: Library;
  readonly calls: Calls;
  readonly errno: () => number;
}

let loaded: Loaded | null = null;
let socketCalls: SocketCalls | null = null;

async function load(): Promise<Loaded> {
  if (loaded !== null) return loaded;
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  loaded ??= { library, calls: callsOf(library), errno: () => koffi.errno() };
  return loaded;
}

function callsOf(library: Library): Calls {
  const listen: Calls['listen'] = library.func('int listen(int, int)');
  const fcntl: Calls['fcntl'] = library.func('int fcntl(int, int, ...)');
  const flock: Calls['flock'] = library.func('int flock(int, int)');
  const socketpair: Calls['socketpair'] = library.func('int socketpair(int, int, int, _Out_ int *)');
  const shutdown: Calls['shutdown'] = library.func('int shutdown(int, int)');
  const close: Calls['close'] = library.func('int close(int)');
  const syscall: Calls['syscall'] = library.func('long syscall(long, ...)');
  const exit: Calls['exit'] = library.func('void _exit(int)');
  return { listen, fcntl, flock, socketpair, shutdown, close, syscall, exit };
}

/** Has to be called before the functions of this folder that are not async. */
export async function loadSystemCalls(): Promise<void> {
  await load();
}

/** The C library, for functions that are declared elsewhere: `library.func('int pipe2(int *, int)')`. Loads the system calls, too. */
export async function loadLibrary(): Promise<Library> {
  const { library } = await load();
  return library;
}

/** As loadSystemCalls(), and returns the calls. */
export async function loadCalls(): Promise<Calls> {
  const { calls } = await load();
  return calls;
}

/** Null before the library is loaded. */
export function loadedCalls(): Calls | null {
  return loaded === null ? null : loaded.calls;
}

/** Null before the library is loaded. */
export function loadedLibrary(): Library | null {
  return loaded === null ? null : loaded.library;
}

/** Null before the library is loaded. */
export function loadedSocketCalls(): SocketCalls | null {
  if (loaded === null) return null;
  socketCalls ??= socketCallsOf(loaded.library);
  return socketCalls;
}

function socketCallsOf(library: Library): SocketCalls {
  const socket: SocketCalls['socket'] = library.func('int socket(int, int, int)');
  const setsockopt: SocketCalls['setsockopt'] = library.func(
    'int setsockopt(int, int, int, _In_ int *, unsigned int)',
  );
  const bind: SocketCalls['bind'] = library.func('int bind(int, _In_ uint8_t *, unsigned int)');
  const connect: SocketCalls['connect'] = library.func('int connect(int, _In_ uint8_t *, unsigned int)');
  return { socket, setsockopt, bind, connect };
}

/** The name of the error of the call that has just failed (errno(3)); ENOSYS before the library is loaded. Has to be called before any other call. */
export function lastError(): string {
  return loaded === null ? 'ENOSYS' : systemErrorCode(loaded.errno());
}
