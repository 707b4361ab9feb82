/** System calls that make a TCP socket, bind sockets, let them listen, and end their listening. Those that are not async need loadSystemCalls(). */
import {
  lastError,
  loadCalls,
  loadedCalls,
  loadedLibrary,
  loadedSocketCalls,
  loadSystemCalls,
} from './c-library.ts';
import { socketOptions, type SocketOption } from './socket-options.ts';
import { afInet, closeOnExec, sockNonBlocking, socketNumbers, sockStream } from './socket-numbers.ts';

/**
 * listen(2): makes the bound socket `fd` a listening one; no process polls it or accepts from it.
 * Called again, it only changes the length of the queue. Returns null, or the name of the error (`EADDRINUSE` …).
 */
export async function listen(fd: number, backlog: number): Promise<string | null> {
  const calls = await loadCalls();
  return calls.listen(fd, backlog) === 0 ? null : lastError();
}

/** socket(2) for TCP over IPv4 or IPv6: a descriptor that no child inherits, or the name of the error. */
export async function openTcpSocket(isIPv6: boolean): Promise<number | string> {
  await loadSystemCalls();
  const family = isIPv6 ? socketNumbers.ipv6 : afInet;
  const made = loadedSocketCalls()?.socket(family, sockStream | closeOnExec | sockNonBlocking, 0) ?? -1;
  return made < 0 ? lastError() : made;
}

/** bind(2): returns null, or the name of the error. */
export function bindSocket(fd: number, sockaddr: Uint8Array): string | null {
  return loadedSocketCalls()?.bind(fd, sockaddr, sockaddr.length) === 0 ? null : lastError();
}

/** setsockopt(2) with a number: whether that succeeds. If not, lastError() is the reason. */
export function setOption(fd: number, { level, name }: SocketOption, value: number): boolean {
  return loadedSocketCalls()?.setsockopt(fd, level, name, [value], 4) === 0;
}

/** The same: returns null, or the name of the error. */
export async function setSocketOption(
  fd: number,
  option: SocketOption,
  value: number,
): Promise<string | null> {
  await loadSystemCalls();
  return setOption(fd, option, value) ? null : lastError();
}

/** if_nametoindex(3): the number of an interface; 0 if there is none with this name. */
export function interfaceNumber(name: string): number {
  numberOf ??= loadedLibrary()?.func('unsigned int if_nametoindex(const char *)') ?? null;
  return numberOf?.(name) ?? 0;
}

let numberOf: ((name: string) => number) | null = null;

const pollHangUp = 0x10;

/** poll(2): whether a process has ended the listening of this socket for all processes, by shutdown(2). */
export function isShut(fd: number): boolean {
  poll ??= loadedLibrary()?.func('int poll(_Inout_ uint8_t *, unsigned long, int)') ?? null;
  if (poll === null) return false;
  const entry = new Uint8Array(8);
  const view = new DataView(entry.buffer);
  view.setInt32(0, fd, true);
  return poll(entry, 1, 0) > 0 && (view.getInt16(6, true) & pollHangUp) !== 0;
}

let poll: ((entries: Uint8Array, count: number, timeoutMs: number) => number) | null = null;

/**
 * bind(2) and listen(2), for a socket that was shut down. The socket has kept its port if it was bound to that port; if the kernel had chosen the port, it
 * has lost it. Returns null, or the name of the error.
 */
export function listenAgain(fd: number, sockaddr: Uint8Array, backlog: number): string | null {
  const problem = bindSocket(fd, sockaddr);
  // EINVAL: the socket is still bound.
  if (problem !== null && problem !== 'EINVAL') return problem;
  return loadedCalls()?.listen(fd, backlog) === 0 ? null : lastError();
}

const shutBoth = 2;

/** shutdown(2): ends the listening for every process that holds a copy of the socket. */
export function shutListener(fd: number): void {
  loadedCalls()?.shutdown(fd, shutBoth);
}

export interface NumericAddress {
  /** A sockaddr of the system. */
  readonly sockaddr: Uint8Array;
  /** AF_INET or AF_INET6. */
  readonly family: number;
  readonly isIPv6Only: boolean;
}

/**
 * Makes a listening socket on an address that `fd`, a listening socket of this process, covers. From then on, the kernel gives the new socket the
 * connections to that address, because its address is the more specific one. Connections that had queued at the other one stay there. Returns the new
 * descriptor, or the name of the error (`EADDRINUSE` …). Both sockets have SO_REUSEPORT only for as long as this takes. Linux only.
 */
export async function listenBeside(
  fd: number,
  { sockaddr, family, isIPv6Only }: NumericAddress,
  backlog: number,
): Promise<number | string> {
  if (process.platform !== 'linux') return 'ENOSYS';
  const calls = await loadCalls();
  const socketCalls = loadedSocketCalls();
  if (socketCalls === null) return 'ENOSYS';
  const { socket, bind } = socketCalls;
  const made = socket(family, sockStream | closeOnExec | sockNonBlocking, 0);
  if (made < 0) return lastError();
  const isListening =
    setOption(made, socketOptions.reuseAddress, 1) &&
    (family === afInet || setOption(made, socketOptions.ipv6Only, isIPv6Only ? 1 : 0)) &&
    setOption(made, socketOptions.reusePort, 1) &&
    setOption(fd, socketOptions.reusePort, 1) &&
    bind(made, sockaddr, sockaddr.length) === 0 &&
    calls.listen(made, backlog) === 0;
  const problem = isListening ? null : lastError();
  setOption(fd, socketOptions.reusePort, 0);
  setOption(made, socketOptions.reusePort, 0);
  if (problem === null) return made;
  calls.close(made);
  return problem;
}
