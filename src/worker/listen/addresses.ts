/** Which addresses mean the same listener, and how an address is written. Pure; no name is ever looked up. */
import type { AnnouncedListener } from '../../shared/protocol.ts';

const wildcards: ReadonlySet<string> = new Set(['', '::', '0.0.0.0', '0:0:0:0:0:0:0:0', '[::]']);
const loopbacks: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

/** No host, or one that stands for every address of the machine. */
export function isWildcard(host: string | null): boolean {
  return host === null || wildcards.has(host);
}

/**
 * True when a listen on `host` and `port` means the listener: same port, and the hosts are equal, or one of them is a
 * wildcard, or both name the loopback. Generous, because the operator has said which port the program serves.
 */
export function matches(listener: AnnouncedListener, host: string | null, port: number): boolean {
  if (listener.port !== port) return false;
  if (host === null || isWildcard(host) || isWildcard(listener.host)) return true;
  return listener.host === host || (loopbacks.has(listener.host) && loopbacks.has(host));
}

/** Every address of the machine, over IPv6 and IPv4: what a listen without a host means. */
export function isEverywhere(host: string | null, isIPv6Only: boolean): boolean {
  return !isIPv6Only && isWildcard(host) && host !== '0.0.0.0';
}

/** True when a server asked for one address, or for IPv4, and gets a listener that is open to every address. */
export function isWiderThan(listener: AnnouncedListener, host: string | null): boolean {
  return host !== null && isWildcard(listener.host) && !isEverywhere(host, false) && host !== listener.host;
}

/** True when a server asked for every address, or for all of a family, and gets a listener for less. */
export function isNarrowerThan(
  listener: AnnouncedListener,
  host: string | null,
  isIPv6Only: boolean,
): boolean {
  if (isEverywhere(host, isIPv6Only)) return listener.host !== '::' && !isEverywhere(listener.host, false);
  return isWildcard(host) && host !== listener.host && !isEverywhere(listener.host, false);
}

/**
 * True when a second server may share the listener of others that listen on `held`: all of them and it ask for addresses of the
 * loopback, and no two for the same. Frameworks listen once for each address of `localhost`, with one and the same application.
 * Anything else would get what is meant for another server.
 */
export function canShare(held: Iterable<string | null>, host: string | null): boolean {
  const isLocal = (one: string | null): boolean => one !== null && loopbacks.has(one);
  return isLocal(host) && [...held].every((other) => isLocal(other) && other !== host);
}

/** Would a socket that listens on `bound` have got a connection to `local`? */
export function covers(bound: string, local: string): boolean {
  if (bound === local) return true;
  return bound === (local.includes(':') ? '::' : '0.0.0.0');
}

/** `127.0.0.1:80`, `[::1]:80`, `*:80`. */
export function writeAddress(host: string | null, port: number): string {
  if (host === null || isEverywhere(host, false)) return `*:${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
