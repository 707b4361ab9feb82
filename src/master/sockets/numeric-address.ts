/** Numeric addresses, with the interface that a link-local one has as its zone: `fe80::1%eth0`. */
import net from 'node:net';
import { interfaceNumber } from '../system-calls/socket-calls.ts';
import { writeSockaddr } from './sockaddr.ts';

/** The version of a numeric address; 0 for a host name. A zone may be any name that an interface can have, of which `net.isIP` knows only some. */
export function ipVersion(host: string): 0 | 4 | 6 {
  const [plain = host] = host.split('%');
  const version = net.isIP(plain);
  return version === 4 && plain === host ? 4 : version === 6 ? 6 : 0;
}

/** The address as a sockaddr. If its interface does not exist, bind(2) will fail with `EINVAL`. Only after a system call was loaded. */
export function sockaddrOf(host: string, port: number): Uint8Array {
  return writeSockaddr(host, port, scopeOf(host));
}

function scopeOf(host: string): number {
  const [, zone] = host.split('%');
  if (zone === undefined) return 0;
  return interfaceNumber(zone) || Number(zone) || 0;
}
