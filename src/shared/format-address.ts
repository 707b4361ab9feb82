/** Formats addresses for messages, URLs and environment variables. Pure. */

/** Where a socket is bound. `host` is numeric. An abstract `path` (unix(7)) begins with `@`. */
export type SocketAddress = TcpAddress | UdpAddress | { readonly type: 'unix'; readonly path: string };

export interface TcpAddress {
  readonly type: 'tcp';
  readonly host: string;
  readonly port: number;
}

export interface UdpAddress {
  readonly type: 'udp';
  readonly host: string;
  readonly port: number;
}

/** A socket's address as events and answers have it: a field that its type does not have is null. */
export interface AddressFields {
  readonly type: 'tcp' | 'udp' | 'unix';
  readonly host: string | null;
  readonly port: number | null;
  readonly path: string | null;
}

/** The fields of an address in events and answers, bound or only wanted. In a wanted one, a host of null is every address. */
export function addressFields(
  address: SocketAddress | { readonly type: 'tcp'; readonly host: string | null; readonly port: number },
): AddressFields {
  return address.type === 'unix'
    ? { type: 'unix', host: null, port: null, path: address.path }
    : { type: address.type, host: address.host, port: address.port, path: null };
}

/** `http://127.0.0.1:80` of TCP, `udp:127.0.0.1:53`, `unix:/run/app.sock`. */
export function describeAddress({ type, host, port, path }: AddressFields): string {
  if (host === null || port === null) return formatPath(path ?? '');
  return type === 'udp' ? formatSocketAddress({ type, host, port }) : formatUrl(host, port);
}

/** What is held or in the way, in a sentence: `port 80`, `unix:/run/app.sock`. */
export function describePlace({ port, path }: Pick<AddressFields, 'port' | 'path'>): string {
  return path === null ? `port ${port ?? 0}` : formatPath(path);
}

/** A URL that terminals turn into a link: `http://127.0.0.1:80`; `localhost` for a listener on every address. */
export function formatUrl(host: string, port: number): string {
  const isEvery = host === '::' || host === '0.0.0.0';
  return isEvery ? `http://localhost:${port} (every address)` : `http://${formatAddress(host, port)}`;
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `unix:/run/app.sock`. */
export function formatPath(path: string): string {
  return `unix:${path}`;
}

/** `127.0.0.1:80`, `[::1]:80`, `udp:127.0.0.1:53`, `unix:/run/app.sock`. */
export function formatSocketAddress(address: SocketAddress): string {
  if (address.type === 'unix') return formatPath(address.path);
  return `${address.type === 'udp' ? 'udp:' : ''}${formatAddress(address.host, address.port)}`;
}
