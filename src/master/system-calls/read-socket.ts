/** What the kernel tells about a socket, such as one that the master has inherited. */
import { lastError, loadLibrary } from './c-library.ts';
import { afInet, afUnix, ipv6Level, sockDatagram, socketNumbers, sockStream } from './socket-numbers.ts';

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

type NameOf = (fd: number, address: Uint8Array, size: number[]) => number;
type OptionOf = (fd: number, level: number, name: number, value: number[], size: number[]) => number;

const sockaddrBytes = 128;

/** Reads a socket by getsockname(2), getpeername(2) and getsockopt(2). Returns the name of the error if that fails (`ENOTSOCK` …). */
export async function readSocket(fd: number): Promise<SocketFacts | string> {
  const library = await loadLibrary();
  const getsockname: NameOf = library.func('int getsockname(int, _Out_ uint8_t *, _Inout_ unsigned int *)');
  const getpeername: NameOf = library.func('int getpeername(int, _Out_ uint8_t *, _Inout_ unsigned int *)');
  const getsockopt: OptionOf = library.func(
    'int getsockopt(int, int, int, _Out_ int *, _Inout_ unsigned int *)',
  );
  const option = (name: number, level: number = socketNumbers.level): number => {
    const value = [0];
    return getsockopt(fd, level, name, value, [4]) === 0 ? (value[0] ?? 0) : 0;
  };
  const buffer = Buffer.alloc(sockaddrBytes);
  const size = [sockaddrBytes];
  if (getsockname(fd, buffer, size) !== 0) return lastError();
  const address = buffer.subarray(0, size[0]);
  const family = familyOf(address);
  const type = option(socketNumbers.type);
  return {
    family:
      family === afInet
        ? 'ipv4'
        : family === socketNumbers.ipv6
          ? 'ipv6'
          : family === afUnix
            ? 'unix'
            : 'other',
    type: type === sockStream ? 'stream' : type === sockDatagram ? 'datagram' : 'other',
    isListening: option(socketNumbers.acceptsConnections) !== 0,
    isIPv6Only: option(socketNumbers.ipv6Only, ipv6Level) !== 0,
    isConnected: getpeername(fd, Buffer.alloc(sockaddrBytes), [sockaddrBytes]) === 0,
    address,
  };
}

/** The family of a sockaddr: its first two bytes on Linux; on macOS, these are the length and the family. */
function familyOf(address: Buffer): number {
  if (process.platform === 'darwin') return address[1] ?? 0;
  return new Uint16Array(Uint8Array.from(address.subarray(0, 2)).buffer)[0] ?? 0;
}
