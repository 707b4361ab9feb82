/**
 * The numbers of the options of sockets (socket(7), ip(7), ipv6(7), tcp(7)), as Linux has them on every architecture but MIPS, Alpha, PA-RISC
 * and SPARC. Pure.
 */

/** An option of setsockopt(2): its level and its name. */
export interface SocketOption {
  readonly level: number;
  readonly name: number;
}

const ip = 0;
const socket = 1;
const tcp = 6;
const ipv6 = 41;

type Name =
  | 'reuseAddress'
  | 'keepAlive'
  | 'reusePort'
  | 'attachFilter'
  | 'detachFilter'
  | 'attachReusePortCbpf'
  | 'ipFreebind'
  | 'ipv6Only'
  | 'ipv6Freebind'
  | 'tcpKeepIdle'
  | 'tcpKeepInterval'
  | 'tcpKeepCount'
  | 'tcpDeferAccept'
  | 'tcpInfo'
  | 'tcpFastOpen';

export const socketOptions: Readonly<Record<Name, SocketOption>> = {
  reuseAddress: { level: socket, name: 2 },
  keepAlive: { level: socket, name: 9 },
  reusePort: { level: socket, name: 15 },
  attachFilter: { level: socket, name: 26 },
  detachFilter: { level: socket, name: 27 },
  attachReusePortCbpf: { level: socket, name: 51 },
  ipFreebind: { level: ip, name: 15 },
  ipv6Only: { level: ipv6, name: 26 },
  ipv6Freebind: { level: ipv6, name: 78 },
  tcpKeepIdle: { level: tcp, name: 4 },
  tcpKeepInterval: { level: tcp, name: 5 },
  tcpKeepCount: { level: tcp, name: 6 },
  tcpDeferAccept: { level: tcp, name: 9 },
  tcpInfo: { level: tcp, name: 11 },
  tcpFastOpen: { level: tcp, name: 23 },
};

/** The freebind option of the address family. */
export function freebindOf(isIPv6: boolean): SocketOption {
  return isIPv6 ? socketOptions.ipv6Freebind : socketOptions.ipFreebind;
}
