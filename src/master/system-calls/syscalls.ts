/** The system calls that Node.js does not offer. koffi is loaded at the first call. */
import type koffi from 'koffi';
import { systemErrorCode } from './errno.ts';

type Listen = (fd: number, backlog: number) => number;
type Fcntl = (fd: number, command: number, type: 'int', argument: number) => number;
type Flock = (fd: number, operation: number) => number;
type Syscall = (call: number, ...argumentsWithTypes: (string | number | null)[]) => number;
type SocketPair = (domain: number, type: number, protocol: number, pair: number[]) => number;

interface Calls {
  readonly listen: Listen;
  readonly fcntl: Fcntl;
  readonly flock: Flock;
  readonly socketpair: SocketPair;
  readonly shutdown: (fd: number, how: number) => number;
  readonly close: (fd: number) => number;
  readonly syscall: Syscall;
  readonly exit: (code: number) => void;
  readonly errno: () => number;
}

let calls: Calls | null = null;
let library: ReturnType<typeof koffi.load> | null = null;
let trim: ((keptBytes: number) => number) | null = null;

async function load(): Promise<Calls> {
  const { default: loaded } = await import('koffi');
  library = loaded.load(null);
  const listen: Listen = library.func('int listen(int, int)');
  const fcntl: Fcntl = library.func('int fcntl(int, int, ...)');
  const flock: Flock = library.func('int flock(int, int)');
  const socketpair: SocketPair = library.func('int socketpair(int, int, int, _Out_ int *)');
  const shutdown: Calls['shutdown'] = library.func('int shutdown(int, int)');
  const close: Calls['close'] = library.func('int close(int)');
  const syscall: Syscall = library.func('long syscall(long, ...)');
  const exit: Calls['exit'] = library.func('void _exit(int)');
  return { listen, fcntl, flock, socketpair, shutdown, close, syscall, exit, errno: () => loaded.errno() };
}

/** Loads the system calls ahead of time, for callers that may only use them after `listen`. */
export async function loadSystemCalls(): Promise<void> {
  calls ??= await load();
}

/**
 * listen(2): makes the bound socket `fd` a listening one; no process polls it or accepts from it.
 * Called again, it only changes the length of the queue. Returns null, or the name of the error (`EADDRINUSE` …).
 */
export async function listen(fd: number, backlog: number): Promise<string | null> {
  calls ??= await load();
  return calls.listen(fd, backlog) === 0 ? null : systemErrorCode(calls.errno());
}

/** malloc_trim(3): returns free memory to the system. Only the GNU C library has it. Elsewhere, and before any call was loaded, it does nothing. */
export function trimMemory(): void {
  try {
    trim ??= library?.func('int malloc_trim(size_t)') ?? null;
  } catch {
    trim = () => 0;
  }
  trim?.(0);
}

/** _exit(2): ends this process with all of its threads, without calling anything before. Returns if no system call was ever loaded. */
export function exitNow(code: number): void {
  calls?.exit(code);
}

/** F_DUPFD_CLOEXEC: makes a duplicate that no child inherits. */
const duplicateCloseOnExec = process.platform === 'linux' ? 1030 : 67;

/**
 * fcntl(2): another descriptor for the same file; or the name of the error. `lowest`: the number from which on it may be. Only after `listen` has been
 * called.
 */
export function duplicate(fd: number, lowest = 0): number | string {
  if (calls === null) return 'ENOSYS';
  const copy = calls.fcntl(fd, duplicateCloseOnExec, 'int', lowest);
  return copy >= 0 ? copy : systemErrorCode(calls.errno());
}

const getStatusFlags = 3;
const setStatusFlags = 4;
const nonBlocking = process.platform === 'linux' ? 0o4000 : 4;

/**
 * fcntl(2): clears O_NONBLOCK, for every process that holds a copy of the socket. libuv sets it, and a program that expects accept(2) to wait would spin
 * or fail. Only after `listen` has been called.
 */
export function makeBlocking(fd: number): void {
  if (calls === null) return;
  const flags = calls.fcntl(fd, getStatusFlags, 'int', 0);
  if (flags >= 0 && (flags & nonBlocking) !== 0) calls.fcntl(fd, setStatusFlags, 'int', flags & ~nonBlocking);
}

/** fcntl(2): whether accept(2) waits on this socket. Only after `listen` has been called. */
export function isBlocking(fd: number): boolean {
  const flags = calls?.fcntl(fd, getStatusFlags, 'int', 0) ?? -1;
  return flags >= 0 && (flags & nonBlocking) === 0;
}

/** LOCK_EX | LOCK_NB. */
const exclusiveAtOnce = 2 | 4;

/**
 * flock(2): locks the file until the descriptor is closed. `held`: another process has the lock. `unsupported`: the file system
 * has no locks.
 */
export async function lockFile(fd: number): Promise<'locked' | 'held' | 'unsupported'> {
  calls ??= await load();
  if (calls.flock(fd, exclusiveAtOnce) === 0) return 'locked';
  const code = systemErrorCode(calls.errno());
  return code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EINTR' ? 'held' : 'unsupported';
}

/** SYS_pidfd_open, the same on every architecture. */
const pidfdOpen = 434;

/** pidfd_open(2): a descriptor that is readable when the process has ended, and that no child inherits; null if there is none. */
export async function openProcess(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  calls ??= await load();
  return openProcessNow(pid);
}

/** As openProcess(), at once. Only after `listen` or `loadSystemCalls` has been called. */
export function openProcessNow(pid: number): number | null {
  if (process.platform !== 'linux' || calls === null) return null;
  const fd = calls.syscall(pidfdOpen, 'int', pid, 'int', 0);
  return fd >= 0 ? fd : null;
}

/** SYS_pidfd_getfd, the same on every architecture. */
const pidfdGetfd = 438;

/**
 * pidfd_getfd(2): a copy of the descriptor `fd` of the process that `openProcess` has opened, which no child inherits; or the name of the error. `EPERM`: this
 * process may not look into that one, as with ptrace(2). `ENOSYS`: Linux before 5.6.
 */
export function takeDescriptor(pidfd: number, fd: number): number | string {
  if (calls === null) return 'ENOSYS';
  const copy = calls.syscall(pidfdGetfd, 'int', pidfd, 'int', fd, 'int', 0);
  return copy >= 0 ? copy : systemErrorCode(calls.errno());
}

/** SYS_pidfd_send_signal, the same on every architecture. */
const pidfdSendSignal = 424;

/** PIDFD_SIGNAL_PROCESS_GROUP, since Linux 6.9. */
const toGroup = 4;

/** pidfd_send_signal(2): signals the process that `openProcess` has opened, or none if it has ended. False: there was none, or this process may not signal it. */
export function signalThrough(fd: number, signal: number): boolean {
  return sendThrough(fd, signal, 0);
}

/**
 * The same for the process group that this process leads or has led, never to that of a process which got its number later. False: there is none,
 * or this process may signal none of it. Null: the kernel cannot do this.
 */
export function signalGroupThrough(fd: number, signal: number): boolean | null {
  if (sendThrough(fd, signal, toGroup)) return true;
  return calls === null || systemErrorCode(calls.errno()) === 'EINVAL' ? null : false;
}

function sendThrough(fd: number, signal: number, flags: number): boolean {
  return calls?.syscall(pidfdSendSignal, 'int', fd, 'int', signal, 'void *', null, 'int', flags) === 0;
}

const afUnix = 1;
const sockStream = 1;
/** SOCK_CLOEXEC, so that no child inherits the sockets: a worker that is spawned later would keep a pair alive. Only on Linux. */
const closeOnExec = process.platform === 'linux' ? 0o2_000_000 : 0;

/** socketpair(2): two connected stream sockets; or the name of the error. Only after `listen` has been called. */
export function socketpair(): readonly [number, number] | string {
  if (calls === null) return 'ENOSYS';
  const pair = [-1, -1];
  if (calls.socketpair(afUnix, sockStream | closeOnExec, 0, pair) !== 0)
    return systemErrorCode(calls.errno());
  const [one = -1, other = -1] = pair;
  return [one, other];
}

/** The calls to bind beside a socket of this process. Loaded if a program asks for an address of its own. */
interface SocketCalls {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly setsockopt: (fd: number, level: number, name: number, value: number[], size: number) => number;
  readonly bind: (fd: number, address: Uint8Array, size: number) => number;
  readonly connect: (fd: number, address: Uint8Array, size: number) => number;
}

let socketCalls: SocketCalls | null = null;

function loadSocketCalls(from: ReturnType<typeof koffi.load>): SocketCalls {
  const socket: SocketCalls['socket'] = from.func('int socket(int, int, int)');
  const setsockopt: SocketCalls['setsockopt'] = from.func(
    'int setsockopt(int, int, int, _In_ int *, unsigned int)',
  );
  const bind: SocketCalls['bind'] = from.func('int bind(int, _In_ uint8_t *, unsigned int)');
  const connect: SocketCalls['connect'] = from.func('int connect(int, _In_ uint8_t *, unsigned int)');
  return { socket, setsockopt, bind, connect };
}

// The numbers of Linux.
const solSocket = 1;
const soReuseAddress = 2;
const soReusePort = 15;
const ipv6Level = 41;
const ipv6Only = 26;
const sockNonBlocking = 0o4000;
const shutBoth = 2;

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
 * descriptor, or the name of the error (`EADDRINUSE` …). Both sockets have SO_REUSEPORT only for as long as this takes.
 */
export async function listenBeside(
  fd: number,
  { sockaddr, family, isIPv6Only }: NumericAddress,
  backlog: number,
): Promise<number | string> {
  if (process.platform !== 'linux') return 'ENOSYS';
  calls ??= await load();
  if (library === null) return 'ENOSYS';
  socketCalls ??= loadSocketCalls(library);
  const { socket, setsockopt, bind } = socketCalls;
  const { close, errno } = calls;
  const on = (one: number, level: number, name: number, value: number): boolean =>
    setsockopt(one, level, name, [value], 4) === 0;
  const made = socket(family, sockStream | closeOnExec | sockNonBlocking, 0);
  if (made < 0) return systemErrorCode(errno());
  const isListening =
    on(made, solSocket, soReuseAddress, 1) &&
    (family === 2 || on(made, ipv6Level, ipv6Only, isIPv6Only ? 1 : 0)) &&
    on(made, solSocket, soReusePort, 1) &&
    on(fd, solSocket, soReusePort, 1) &&
    bind(made, sockaddr, sockaddr.length) === 0 &&
    calls.listen(made, backlog) === 0;
  const problem = isListening ? null : systemErrorCode(errno());
  on(fd, solSocket, soReusePort, 0);
  on(made, solSocket, soReusePort, 0);
  if (problem === null) return made;
  close(made);
  return problem;
}

const isDarwin = process.platform === 'darwin';
const sockets = isDarwin
  ? { level: 0xffff, type: 0x1008, acceptsConnections: 0x2, ipv6: 30, ipv6Only: 27 }
  : { level: solSocket, type: 3, acceptsConnections: 30, ipv6: 10, ipv6Only: 26 };
const afInet = 2;

/** socket(2) for TCP over IPv4 or IPv6: a descriptor that no child inherits, or the name of the error. */
export async function openTcpSocket(isIPv6: boolean): Promise<number | string> {
  calls ??= await load();
  if (library === null) return 'ENOSYS';
  socketCalls ??= loadSocketCalls(library);
  const made = socketCalls.socket(
    isIPv6 ? sockets.ipv6 : afInet,
    sockStream | closeOnExec | (isDarwin ? 0 : sockNonBlocking),
    0,
  );
  return made < 0 ? systemErrorCode(calls.errno()) : made;
}

/** bind(2): returns null, or the name of the error. Only after `openTcpSocket` or `listen` has been called. */
export function bindSocket(fd: number, sockaddr: Uint8Array): string | null {
  if (calls === null || library === null) return 'ENOSYS';
  socketCalls ??= loadSocketCalls(library);
  return socketCalls.bind(fd, sockaddr, sockaddr.length) === 0 ? null : systemErrorCode(calls.errno());
}

/** if_nametoindex(3): the number of an interface; 0 if there is none with this name. Only after `openTcpSocket` or `listen` has been called. */
export function interfaceNumber(name: string): number {
  numberOf ??= library?.func('unsigned int if_nametoindex(const char *)') ?? null;
  return numberOf?.(name) ?? 0;
}

let numberOf: ((name: string) => number) | null = null;

/** setsockopt(2) with a number: returns null, or the name of the error. */
export async function setSocketOption(
  fd: number,
  level: number,
  name: number,
  value: number,
): Promise<string | null> {
  calls ??= await load();
  if (library === null) return 'ENOSYS';
  socketCalls ??= loadSocketCalls(library);
  return socketCalls.setsockopt(fd, level, name, [value], 4) === 0 ? null : systemErrorCode(calls.errno());
}

/** What the kernel tells about a socket. */
export interface SocketFacts {
  readonly family: 'ipv4' | 'ipv6' | 'unix' | 'other';
  readonly type: 'stream' | 'datagram' | 'other';
  readonly isListening: boolean;
  readonly isConnected: boolean;
  /** IPV6_V6ONLY of ipv6(7). */
  readonly isIPv6Only: boolean;
  /** A sockaddr of the system. */
  readonly address: Buffer;
}

const sockaddrBytes = 128;

/** Reads a socket by getsockname(2), getpeername(2) and getsockopt(2). Returns the name of the error if that fails (`ENOTSOCK` …). */
export async function readSocket(fd: number): Promise<SocketFacts | string> {
  calls ??= await load();
  if (library === null) return 'ENOSYS';
  type NameOf = (fd: number, address: Uint8Array, size: number[]) => number;
  const getsockname: NameOf = library.func('int getsockname(int, _Out_ uint8_t *, _Inout_ unsigned int *)');
  const getpeername: NameOf = library.func('int getpeername(int, _Out_ uint8_t *, _Inout_ unsigned int *)');
  const getsockopt: (fd: number, level: number, name: number, value: number[], size: number[]) => number =
    library.func('int getsockopt(int, int, int, _Out_ int *, _Inout_ unsigned int *)');
  const option = (name: number, level: number = sockets.level): number => {
    const value = [0];
    return getsockopt(fd, level, name, value, [4]) === 0 ? (value[0] ?? 0) : 0;
  };
  const buffer = Buffer.alloc(sockaddrBytes);
  const size = [sockaddrBytes];
  if (getsockname(fd, buffer, size) !== 0) return systemErrorCode(calls.errno());
  const address = buffer.subarray(0, size[0]);
  const family = isDarwin
    ? (address[1] ?? 0)
    : (new Uint16Array(Uint8Array.from(address.subarray(0, 2)).buffer)[0] ?? 0);
  const type = option(sockets.type);
  return {
    family:
      family === afInet ? 'ipv4' : family === sockets.ipv6 ? 'ipv6' : family === afUnix ? 'unix' : 'other',
    type: type === sockStream ? 'stream' : type === sockDatagram ? 'datagram' : 'other',
    isListening: option(sockets.acceptsConnections) !== 0,
    isIPv6Only: option(sockets.ipv6Only, ipv6Level) !== 0,
    isConnected: getpeername(fd, Buffer.alloc(sockaddrBytes), [sockaddrBytes]) === 0,
    address,
  };
}

const setDescriptorFlags = 2;
const closeOnExecFlag = 1;

/** fcntl(2): makes sure that no child inherits the descriptor from now on. Only after `listen` or `readSocket` has been called. */
export function keepFromChildren(fd: number): void {
  calls?.fcntl(fd, setDescriptorFlags, 'int', closeOnExecFlag);
}

/** fcntl(2): the opposite. The descriptor stays open in a program that execve(2) runs in this process. */
export function keepThroughExec(fd: number): void {
  calls?.fcntl(fd, setDescriptorFlags, 'int', 0);
}

/** As keepFromChildren(), for descriptors that were left open by execve(2). */
export async function keepAllFromChildren(fds: readonly number[]): Promise<void> {
  await loadSystemCalls();
  for (const fd of fds) keepFromChildren(fd);
}

/** socket(2): a UNIX stream socket that is not bound and that no child inherits; or the name of the error. */
export async function openUnixSocket(): Promise<number | string> {
  calls ??= await load();
  if (library === null) return 'ENOSYS';
  socketCalls ??= loadSocketCalls(library);
  const nonBlocking = process.platform === 'linux' ? sockNonBlocking : 0;
  const made = socketCalls.socket(afUnix, sockStream | closeOnExec | nonBlocking, 0);
  return made < 0 ? systemErrorCode(calls.errno()) : made;
}

/**
 * bind(2) and listen(2) for a socket of `openUnixSocket`. Its file has the permission bits `mode`; null for those that the umask leaves. `bound` is called
 * in between, while no client can connect. Returns null, or the name of the error.
 */
export function listenAtPath(
  fd: number,
  path: string,
  {
    backlog,
    mode,
    bound,
  }: { readonly backlog: number; readonly mode: number | null; readonly bound: () => void },
): string | null {
  if (calls === null || socketCalls === null) return 'ENOSYS';
  const address = unixAddress(path);
  const before = mode === null ? null : process.umask(0o777 & ~mode);
  try {
    if (socketCalls.bind(fd, address, address.length) !== 0) return systemErrorCode(calls.errno());
  } finally {
    if (before !== null) process.umask(before);
  }
  bound();
  return calls.listen(fd, backlog) === 0 ? null : systemErrorCode(calls.errno());
}

/** close(2). Only after another call of this file has been loaded. */
export function closeDescriptor(fd: number): void {
  calls?.close(fd);
}

/** A sockaddr_un of Linux or macOS. An abstract name begins with a zero byte, and its length is that of the address. */
function unixAddress(path: string): Buffer {
  const isAbstract = path.startsWith('@');
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  const head = Buffer.alloc(2);
  if (process.platform === 'darwin') head.set([name.length + 2, afUnix]);
  else new Uint16Array(head.buffer, head.byteOffset, 1)[0] = afUnix;
  return Buffer.concat([head, name]);
}

const sockDatagram = 2;

/**
 * A UNIX datagram socket (unix(7)) that is bound to `path` and that no child inherits. Returns its descriptor, or the name of the error. Only after
 * `listen` has been called, and only on Linux.
 */
export function bindDatagram(path: string): number | string {
  return datagramSocket(path, 'bind');
}

/**
 * A UNIX datagram socket (unix(7)) that sends to the one at `path`, and that no child inherits. Returns its descriptor, or the name of the error: `ENOENT`
 * or `ECONNREFUSED` if no process reads there. Only after `loadSystemCalls` has been called, and only on Linux.
 */
export function connectDatagram(path: string): number | string {
  return datagramSocket(path, 'connect');
}

function datagramSocket(path: string, use: 'bind' | 'connect'): number | string {
  if (calls === null || library === null || process.platform !== 'linux') return 'ENOSYS';
  socketCalls ??= loadSocketCalls(library);
  const fd = socketCalls.socket(afUnix, sockDatagram | closeOnExec | sockNonBlocking, 0);
  if (fd < 0) return systemErrorCode(calls.errno());
  const sockaddr = unixAddress(path);
  if (socketCalls[use](fd, sockaddr, sockaddr.length) === 0) return fd;
  const problem = systemErrorCode(calls.errno());
  calls.close(fd);
  return problem;
}

const pollHangUp = 0x10;

/** poll(2): whether a process has ended the listening of this socket for all processes, by shutdown(2). Only after `listen` has been called. */
export function isShut(fd: number): boolean {
  if (calls === null || library === null) return false;
  poll ??= library.func('int poll(_Inout_ uint8_t *, unsigned long, int)');
  const entry = new Uint8Array(8);
  const view = new DataView(entry.buffer);
  view.setInt32(0, fd, true);
  return poll(entry, 1, 0) > 0 && (view.getInt16(6, true) & pollHangUp) !== 0;
}

let poll: ((entries: Uint8Array, count: number, timeoutMs: number) => number) | null = null;

/**
 * bind(2) and listen(2), for a socket that was shut down. The socket has kept its port if it was bound to that port; if the kernel had chosen the port, it
 * has lost it. Returns null, or the name of the error. Only after `listen` has been called.
 */
export function listenAgain(fd: number, sockaddr: Uint8Array, backlog: number): string | null {
  const problem = bindSocket(fd, sockaddr);
  // EINVAL: the socket is still bound.
  if (problem !== null && problem !== 'EINVAL') return problem;
  if (calls === null) return 'ENOSYS';
  return calls.listen(fd, backlog) === 0 ? null : systemErrorCode(calls.errno());
}

/** shutdown(2): ends the listening for every process that holds a copy of the socket. Only after `listen` has been called. */
export function shutListener(fd: number): void {
  calls?.shutdown(fd, shutBoth);
}
