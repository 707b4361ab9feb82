/** The addresses of sockets in the form of the system: sockaddr of unix(7), ip(7) and ipv6(7). Pure. */
import type { SocketAddress } from '../../shared/format-address.ts';
import { ipv6 } from './tcp-table.ts';

/** Reads a sockaddr; null if the socket is not bound, or its address is of another kind. */
export function readSockaddr(
  family: 'ipv4' | 'ipv6' | 'unix' | 'other',
  bytes: Uint8Array,
): SocketAddress | null {
  if (family === 'other') return null;
  if (family === 'unix') {
    const path = pathOf(bytes.subarray(2));
    return path === '' ? null : { type: 'unix', path };
  }
  const port = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  if (port === 0) return null;
  const host = family === 'ipv4' ? bytes.subarray(4, 8).join('.') : ipv6([...bytes.subarray(8, 24)]);
  return { type: 'tcp', host, port };
}

/** The path of a UNIX socket; empty if it has none. An abstract name begins with a zero byte, and may contain others. */
function pathOf(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  if (text.startsWith('\0')) return text.length > 1 ? `@${text.slice(1)}` : '';
  return text.split('\0')[0] ?? '';
}

/** Writes a sockaddr of Linux. `scope`: the number of the interface of a link-local address, whose zone is left out. */
export function writeSockaddr(host: string, port: number, scope = 0): Uint8Array {
  const isIPv6 = host.includes(':');
  const sockaddr = new Uint8Array(isIPv6 ? 28 : 16);
  // The byte order is that of the machine: Node.js also runs on big-endian ones, such as s390x.
  new Uint16Array(sockaddr.buffer, 0, 1)[0] = isIPv6 ? 10 : 2;
  sockaddr.set([port >> 8, port & 255], 2);
  sockaddr.set(bytesOf(host), isIPv6 ? 8 : 4);
  if (isIPv6) new Uint32Array(sockaddr.buffer, 24, 1)[0] = scope;
  return sockaddr;
}

/** The bytes of a numeric address; the zone of a link-local one is left out. */
export function bytesOf(address: string): readonly number[] {
  const [bare = address] = address.split('%');
  if (!address.includes(':')) return bare.split('.').map(Number);
  // The parser of URLs converts an embedded IPv4 address to IPv6.
  const text = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const groups = (part: string): readonly string[] => (part === '' ? [] : part.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return all.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}
