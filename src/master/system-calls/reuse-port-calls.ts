/**
 * The system calls for listening sockets that share one address (SO_REUSEPORT, socket(7)): the kernel gives each new connection to one of them. Loaded
 * with koffi if a program needs them. Linux only.
 */
import { lastError, loadedCalls, loadedSocketCalls, loadLibrary } from './c-library.ts';
import { setOption } from './socket-calls.ts';
import { closeOnExec, socketNumbers, sockNonBlocking, sockStream } from './socket-numbers.ts';
import { freebindOf, socketOptions, type SocketOption } from './socket-options.ts';

type GetOption = (fd: number, level: number, name: number, value: Uint8Array, size: number[]) => number;

interface ReusePortCalls {
  readonly getsockname: (fd: number, address: Uint8Array, size: number[]) => number;
  readonly getOption: GetOption;
  readonly setFilter: (
    fd: number,
    level: number,
    name: number,
    program: { readonly len: number; readonly filter: Uint8Array },
    size: number,
  ) => number;
}

let calls: ReusePortCalls | null = null;

/** Loads the calls. Has to be called once: before, the functions of this file return ENOSYS. */
export async function loadReusePortCalls(): Promise<void> {
  if (process.platform === 'linux') calls ??= await load();
}

async function load(): Promise<ReusePortCalls> {
  const library = await loadLibrary();
  const getsockname: ReusePortCalls['getsockname'] = library.func(
    'int getsockname(int, _Out_ uint8_t *, _Inout_ uint32_t *)',
  );
  const getOption: GetOption = library.func(
    'int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint32_t *)',
  );
  const { default: koffi } = await import('koffi');
  const program = koffi.struct({ len: 'uint16', filter: 'const void *' });
  const setFilter: ReusePortCalls['setFilter'] = library.func('setsockopt', 'int', [
    'int',
    'int',
    'int',
    koffi.pointer(program),
    'unsigned int',
  ]);
  return { getsockname, getOption, setFilter };
}

/**
 * Makes another listening socket with the address of `fd`, which listens already. Both have SO_REUSEPORT from then on, and the new one is the last of
 * their group. It drops every packet until takePackets() is called: the kernel spreads new connections over the two first sockets of a group before it
 * can be told which one to choose. Returns its descriptor, which no child inherits, or the name of the error.
 */
export function listenAlongside(fd: number, backlog: number): number | string {
  const [socketCalls, otherCalls] = [loadedSocketCalls(), loadedCalls()];
  if (calls === null || socketCalls === null || otherCalls === null) return 'ENOSYS';
  const { socket, bind } = socketCalls;
  const { listen, close } = otherCalls;
  const address = new Uint8Array(128);
  const length = [address.length];
  if (calls.getsockname(fd, address, length) !== 0) return lastError();
  const [family = 0] = new Uint16Array(address.buffer, 0, 1);
  const made = socket(family, sockStream | closeOnExec | sockNonBlocking, 0);
  if (made < 0) return lastError();
  const { reuseAddress, reusePort, ipv6Only } = socketOptions;
  const [size = 0] = length;
  const isListening =
    setOption(made, reuseAddress, 1) &&
    (family !== socketNumbers.ipv6 || setOption(made, ipv6Only, numberOption(fd, ipv6Only))) &&
    copied(family === socketNumbers.ipv6).every((option) => {
      const value = numberOption(fd, option);
      return value === 0 || setOption(made, option, value);
    }) &&
    setOption(made, reusePort, 1) &&
    setOption(fd, reusePort, 1) &&
    bind(made, address, size) === 0 &&
    attach(made, socketOptions.attachFilter, [dropPacket]) &&
    listen(made, backlog) === 0;
  if (isListening) return made;
  const problem = lastError();
  close(made);
  return problem;
}

/** A socket from listenAlongside() drops no more packets. The client of a dropped one sends it again after a second. Returns null, or the name of the error. */
export function takePackets(fd: number): string | null {
  return setOption(fd, socketOptions.detachFilter, 0) ? null : lastError();
}

/** The options that all sockets of a group have in common. */
function copied(isIPv6: boolean): readonly SocketOption[] {
  const { keepAlive, tcpKeepIdle, tcpKeepInterval, tcpKeepCount, tcpDeferAccept, tcpFastOpen } =
    socketOptions;
  return [
    ...[keepAlive, tcpKeepIdle, tcpKeepInterval, tcpKeepCount, tcpDeferAccept, tcpFastOpen],
    freebindOf(isIPv6),
  ];
}

function numberOption(fd: number, { level, name }: SocketOption): number {
  const value = new Uint8Array(4);
  if (calls?.getOption(fd, level, name, value, [value.length]) !== 0) return 0;
  const [number = 0] = new Int32Array(value.buffer);
  return number;
}

/** The number of connections in the accept queue of a listening socket (`tcpi_unacked` of tcp(7)). */
export function queueLength(fd: number): number {
  const { level, name } = socketOptions.tcpInfo;
  const info = new Uint8Array(28);
  if (calls?.getOption(fd, level, name, info, [info.length]) !== 0) return 0;
  const [length = 0] = new Uint32Array(info.buffer, 24, 1);
  return length;
}

/**
 * SO_ATTACH_REUSEPORT_CBPF: lets a classic BPF program choose, by its index, the socket that gets a new connection. `fd`: any socket of the group, which
 * has at least two. Returns null, or the name of the error.
 */
export function attachSelection(fd: number, program: readonly Instruction[]): string | null {
  if (calls === null) return 'ENOSYS';
  return attach(fd, socketOptions.attachReusePortCbpf, program) ? null : lastError();
}

/** Sets an option whose value is a classic BPF program. */
function attach(fd: number, { level, name }: SocketOption, program: readonly Instruction[]): boolean {
  const filter = new Uint8Array(program.length * 8);
  for (const [at, { code, ifTrue = 0, ifFalse = 0, value }] of program.entries()) {
    new Uint16Array(filter.buffer, at * 8, 1)[0] = code;
    filter[at * 8 + 2] = ifTrue;
    filter[at * 8 + 3] = ifFalse;
    new Uint32Array(filter.buffer, at * 8 + 4, 1)[0] = value;
  }
  return calls?.setFilter(fd, level, name, { len: program.length, filter }, 16) === 0;
}

/** An instruction of classic BPF (bpf(4) of the BSDs; linux/filter.h). */
export interface Instruction {
  readonly code: number;
  readonly ifTrue?: number;
  readonly ifFalse?: number;
  readonly value: number;
}

/** The filter of a socket keeps no byte of a packet. */
const dropPacket: Instruction = { code: 0x06, value: 0 };
