/** Decides which addresses mean the same listener, and writes addresses. Pure; resolves no names. */
import { formatAddress, formatPath } from '../../shared/format-address.ts';
import type {
  AnnouncedListener,
  AnnouncedTcpListener,
  AnnouncedUnixListener,
} from '../../shared/protocol.ts';

const wildcards: ReadonlySet<string> = new Set(['', '::', '0.0.0.0', '0:0:0:0:0:0:0:0', '[::]']);
const loopbacks: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

/** True for no host, and for a host that stands for every address of the machine or of a family. */
export function isWildcard(host: string | null): boolean {
  return host === null || wildcards.has(host);
}

/**
 * True if a listen on `host` and `port` means the listener: same port, and the hosts are equal, or one of them is a
 * wildcard, or both name the loopback, or it is the name by which the operator declared the listener. Generous, because the operator named the port that the program serves.
 */
export function matches(listener: AnnouncedTcpListener, host: string | null, port: number): boolean {
  if (listener.port !== port) return false;
  if (host === null || isWildcard(host) || isWildcard(listener.host)) return true;
  return (
    listener.host === host ||
    listener.hostName === host ||
    (loopbacks.has(listener.host) && loopbacks.has(host))
  );
}

/** True for every address of the machine, over IPv6 and IPv4, which is what a listen without a host asks for. */
export function isEverywhere(host: string | null, isIPv6Only: boolean): boolean {
  return !isIPv6Only && isWildcard(host) && host !== '0.0.0.0';
}

/** True if a server asks for one address, or for IPv4 only, and gets a listener that is open to every address. */
export function isWiderThan(listener: AnnouncedTcpListener, host: string | null): boolean {
  return host !== null && isWildcard(listener.host) && !isEverywhere(host, false) && host !== listener.host;
}

/** True if a server asks for every address, or for all of a family, and gets a listener for fewer. */
export function isNarrowerThan(
  listener: AnnouncedTcpListener,
  host: string | null,
  isIPv6Only: boolean,
): boolean {
  if (isEverywhere(host, isIPv6Only)) return listener.host !== '::' && !isEverywhere(listener.host, false);
  return isWildcard(host) && host !== listener.host && !isEverywhere(listener.host, false);
}

/**
 * True if a further server may share a listener with the servers that asked for the hosts in `held`: every one of them asks for a loopback
 * address, and no two for the same. Frameworks listen once for each address of `localhost`, with the same application. In any other
 * case a server would get connections that are meant for another one.
 */
export function canShare(held: Iterable<string | null>, host: string | null): boolean {
  const isLocal = (one: string | null): boolean => one !== null && loopbacks.has(one);
  return isLocal(host) && [...held].every((other) => isLocal(other) && other !== host);
}

/** True if a socket that listens on `bound` would get a connection to `local`. */
export function covers(bound: string, local: string): boolean {
  if (bound === local) return true;
  return bound === (local.includes(':') ? '::' : '0.0.0.0');
}

/** Formats a listener as errors of this worker name it: `127.0.0.1:80`, `unix:/run/app.sock`. */
export function writeListener(listener: AnnouncedListener): string {
  return listener.type === 'unix' ? formatPath(listener.path) : writeAddress(listener.host, listener.port);
}

/** True if a listen on `path` means the listener. `resolved` is the path with the symlinks of its folder resolved. */
export function matchesPath(listener: AnnouncedUnixListener, path: string, resolved: string): boolean {
  return listener.path === path || listener.path === resolved;
}

/** An abstract name (unix(7)) as Node.js has it, with a zero byte in front, written as the listener is: with `@`. */
export function writePath(path: string): string {
  return path.startsWith('\0') ? `@${path.slice(1)}` : path;
}

/** Returns the path of a listener as Node.js takes it. */
export function readPath(path: string): string {
  return path.startsWith('@') ? `\0${path.slice(1)}` : path;
}

/** Formats an address: `127.0.0.1:80`, `[::1]:80`, `*:80`. */
export function writeAddress(host: string | null, port: number): string {
  if (host === null || isEverywhere(host, false)) return `*:${port}`;
  return formatAddress(host, port);
}
