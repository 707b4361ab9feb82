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

/** Returns the fields of an address for events and answers, whether it is bound or only wanted. In a wanted one, a null `host` means every address. */
export function addressFields(
  address: SocketAddress | { readonly type: 'tcp'; readonly host: string | null; readonly port: number },
): AddressFields {
  return address.type === 'unix'
    ? { type: 'unix', host: null, port: null, path: address.path }
    : { type: address.type, host: address.host, port: address.port, path: null };
}

/** Formats an address: `http://127.0.0.1:80` for TCP, `udp:127.0.0.1:53`, `unix:/run/app.sock`. */
export function describeAddress({ type, host, port, path }: AddressFields): string {
  if (host === null || port === null) return formatPath(path ?? '');
  return type === 'udp' ? formatSocketAddress({ type, host, port }) : formatUrl(host, port);
}

/** Names an address that is held or in use, in a sentence: `port 80`, `unix:/run/app.sock`. */
export function describePlace({ port, path }: Pick<AddressFields, 'port' | 'path'>): string {
  return path === null ? `port ${port ?? 0}` : formatPath(path);
}

/** Formats a URL that terminals turn into a link: `http://127.0.0.1:80`; with `localhost` for a listener on every address of the machine. */
export function formatUrl(host: string, port: number): string {
  const others = host === '::' ? 'other' : host === '0.0.0.0' ? 'other IPv4' : null;
  return others === null
    ? `http://${formatAddress(host, port)}`
    : `http://localhost:${port} (and every ${others} address of this machine)`;
}

/** Formats a host and a port: `127.0.0.1:80`, `[::1]:80`. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Formats a path: `unix:/run/app.sock`. */
export function formatPath(path: string): string {
  return `unix:${path}`;
}

/** Formats the address of a socket: `127.0.0.1:80`, `[::1]:80`, `udp:127.0.0.1:53`, `unix:/run/app.sock`. */
export function formatSocketAddress(address: SocketAddress): string {
  if (address.type === 'unix') return formatPath(address.path);
  return `${address.type === 'udp' ? 'udp:' : ''}${formatAddress(address.host, address.port)}`;
}
