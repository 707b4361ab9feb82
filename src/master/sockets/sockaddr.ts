/** The addresses of sockets as the system has them (sockaddr of unix(7), ip(7) and ipv6(7)). Pure. */
import type { SocketAddress } from '../../shared/format-address.ts';
import { ipv6 } from './tcp-table.ts';

/** Null: the socket is not bound, or its address is of another kind. */
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

/** Empty: it has none. An abstract name begins with a zero byte, and may have others. */
function pathOf(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  if (text.startsWith('\0')) return text.length > 1 ? `@${text.slice(1)}` : '';
  return text.split('\0')[0] ?? '';
}
