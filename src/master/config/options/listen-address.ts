/**
 * How an address to listen on is written: `3000`, `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`, `unix:/run/app.sock`, the abstract
 * `unix:@app` (unix(7)), `udp:127.0.0.1:53`, and `fd:3` for a descriptor that graceful-run inherits; each with `name=` before it. Pure.
 */

export type ListenAddress = {
  /** The name of the listener, or null if none was given. */
  readonly name: string | null;
} & (
  | {
      readonly type: 'tcp';
      /** A numeric address or a host name, or null for every address. */
      readonly host: string | null;
      readonly port: number;
    }
  /** The path may be relative. */
  | { readonly type: 'unix'; readonly path: string }
  | { readonly type: 'udp'; readonly host: string; readonly port: number }
  | { readonly type: 'fd'; readonly fd: number }
);

export const wantedListenAddress =
  'a port, an address with a port, a path, or a descriptor, such as 3000, 127.0.0.1:3000, [::1]:3000, admin=localhost:3000, unix:/run/app.sock, udp:0.0.0.0:5353 (UDP needs an address: 0.0.0.0 or [::] for every one) or fd:3';

/** Parses an address to listen on; null if it is not valid. */
export function parseListenAddress(written: string): ListenAddress | null {
  const { name = null, address = '' } =
    /^(?:(?<name>[A-Za-z0-9_.-]{1,64})=)?(?<address>.+)$/.exec(written)?.groups ?? {};
  if (address.startsWith('unix:')) {
    const path = address.slice('unix:'.length);
    // A path that ends in a slash is a folder.
    return /^@?[^@\0]+$/.test(path) && !path.endsWith('/') ? { type: 'unix', name, path } : null;
  }
  const [, descriptor] = /^fd:(\d{1,7})$/.exec(address) ?? [];
  if (descriptor !== undefined) return { type: 'fd', name, fd: Number(descriptor) };
  if (address.startsWith('udp:')) {
    const { host, port } = readHostAndPort(address.slice('udp:'.length)) ?? { host: null, port: 0 };
    return host === null ? null : { type: 'udp', name, host, port };
  }
  const found = readHostAndPort(address);
  return found === null ? null : { type: 'tcp', name, ...found };
}

/**
 * Parses a port with or without a host; null if it is not valid. A host of null was not given. The zone of an address is the name of an interface, which
 * is almost any text.
 */
function readHostAndPort(address: string): { readonly host: string | null; readonly port: number } | null {
  const match =
    /^(?:(?:\[(?<v6>[0-9A-Fa-f:.]+(?:%[^\s\p{Cc}\]/%]+)?)\]|(?<host>[^\s:[\]=]+)):)?(?<port>\d{1,5})$/u.exec(
      address,
    );
  const { v6, host, port } = match?.groups ?? {};
  if (port === undefined || Number(port) > 65_535) return null;
  if (v6 !== undefined && !v6.includes(':')) return null;
  return { host: v6 ?? host ?? null, port: Number(port) };
}
