/** Addresses as /proc/net/tcp and /proc/net/tcp6 write them (proc(5)). Pure. */
import type { TcpAddress } from '../../shared/format-address.ts';

/**
 * Parses an address, null if it is not valid. `0100007F:1F90` is 127.0.0.1:8080: words of 32 bits in the byte order of the machine, which is
 * little-endian, and the port.
 */
export function readTcpAddress(text: string): TcpAddress | null {
  const [, words = '', port = ''] = /^((?:[\dA-F]{8}){1,4}):([\dA-F]{4})$/.exec(text) ?? [];
  if (words === '') return null;
  const bytes = (words.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).toReversed().map((byte) => Number.parseInt(byte, 16)),
  );
  const host = bytes.length === 4 ? bytes.join('.') : ipv6(bytes);
  return { type: 'tcp', host, port: Number.parseInt(port, 16) };
}

/** The text of an IPv6 address from its 16 bytes in network order. */
export function ipv6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  // The parser of URLs shortens the address in the usual way.
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}
