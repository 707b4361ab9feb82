/** Which addresses mean the same listener, and how an address is written. Pure; no name is ever looked up. */
import type { AnnouncedListener } from '../shared/protocol.ts';

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

/** True when a server asked for the loopback and gets a listener that is open to everybody. */
export function isWiderThan(listener: AnnouncedListener, host: string | null): boolean {
  return host !== null && loopbacks.has(host) && isWildcard(listener.host);
}

/**
 * True when a second server may listen on `host` beside others that listen on `held`, as it may without a master: all of
 * them are specific, and no two the same. Frameworks listen once for each address of `localhost`.
 */
export function canShare(held: Iterable<string | null>, host: string | null): boolean {
  return !isWildcard(host) && [...held].every((other) => !isWildcard(other) && other !== host);
}

/** `127.0.0.1:80`, `[::1]:80`, `*:80`. */
export function writeAddress(host: string | null, port: number): string {
  if (host === null || isWildcard(host)) return `*:${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
