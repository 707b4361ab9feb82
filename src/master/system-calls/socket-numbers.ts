/** The numbers of socket(2) that several files need. On macOS, a socket cannot get flags when it is made. */

export const afUnix = 1;
export const afInet = 2;
export const sockStream = 1;
export const sockDatagram = 2;

/** SOCK_CLOEXEC, so that no child inherits the socket: a worker that is spawned later would keep it open. Only on Linux. */
export const closeOnExec: number = process.platform === 'linux' ? 0o2_000_000 : 0;

/** SOCK_NONBLOCK. Only on Linux. */
export const sockNonBlocking: number = process.platform === 'linux' ? 0o4000 : 0;

/** The numbers that differ on macOS. */
interface SocketNumbers {
  /** SOL_SOCKET. */
  readonly level: number;
  /** SO_TYPE. */
  readonly type: number;
  /** SO_ACCEPTCONN. */
  readonly acceptsConnections: number;
  /** AF_INET6. */
  readonly ipv6: number;
  /** IPV6_V6ONLY. */
  readonly ipv6Only: number;
}

export const socketNumbers: SocketNumbers =
  process.platform === 'darwin'
    ? { level: 0xffff, type: 0x1008, acceptsConnections: 0x2, ipv6: 30, ipv6Only: 27 }
    : { level: 1, type: 3, acceptsConnections: 30, ipv6: 10, ipv6Only: 26 };

/** IPPROTO_IPV6. */
export const ipv6Level = 41;
