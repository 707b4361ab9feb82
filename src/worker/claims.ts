/**
 * The declared listeners inside this worker: which server holds which of them, and who has to wait. Owns the accept gate:
 * INVARIANT: before `admit`, and from `close` on, no server accepts a connection on a declared listener.
 * It must not know how a server is told (listen.ts) nor how the master is reached (channel.ts).
 */
import type { AnnouncedListener } from '../shared/protocol.ts';
import { canShare, isWiderThan, matches, writeAddress } from './addresses.ts';
import type { Placement } from './listen.ts';
import type { ListenCall } from './listen-call.ts';
import { coveredHandle, holdBack, onClosed, openInherited, type Gate, type RawHandle } from './raw-handle.ts';

export interface ClaimsParts {
  readonly listeners: readonly AnnouncedListener[];
  /** A server needs another copy of the listener. */
  wantListener(name: string): void;
  listening(name: string): void;
  released(name: string): void;
  /** A listen somewhere that nobody declared; once for each address. */
  undeclared(address: string): void;
  /** A listen on the loopback got a listener that is open to everybody. */
  wide(address: string): void;
}

export interface Claims {
  place(call: ListenCall): Placement;
  /** Begins to accept. */
  admit(): void;
  /** A copy of a listener has come from the master. */
  arrived(name: string, handle: RawHandle): void;
  /** The handle that accepts on the listener; null before `admit`, and when no server of this process listens on it. */
  acceptingOn(name: string): RawHandle | null;
  /** The listener that the handle is for, or null. */
  nameOf(handle: unknown): string | null;
  /** From now on nothing that is told to listen accepts. */
  close(): void;
}

interface Claim {
  readonly listener: AnnouncedListener;
  /** `gone`: its server closed it, and with it the inherited file descriptor. */
  state: 'inherited' | 'held' | 'wanted' | 'gone';
  gate: Gate | null;
  /** While it is held, and after its server has closed it: its connections are still of this listener. */
  handle: RawHandle | null;
  /** The hosts that were asked for by the servers that listen on it. */
  readonly hosts: Set<string | null>;
  deliver: ((handle: RawHandle) => void) | null;
}

const passThrough: Placement = { kind: 'passThrough', isOutside: false };
const outside: Placement = { kind: 'passThrough', isOutside: true };

export function createClaims(parts: ClaimsParts): Claims {
  const claims = parts.listeners.map((listener): Claim => ({
    listener,
    state: 'inherited',
    gate: null,
    handle: null,
    hosts: new Set(),
    deliver: null,
  }));
  const warned = new Set<string>();
  let phase: 'gated' | 'admitted' | 'closed' = 'gated';

  function warnOnce(address: string): Placement {
    if (!warned.has(address)) {
      warned.add(address);
      parts.undeclared(address);
    }
    return outside;
  }

  /** Makes the handle the claim's: gated where it must be, and known when it is closed. */
  function hold(claim: Claim, host: string | null, handle: RawHandle): RawHandle {
    claim.state = 'held';
    claim.handle = handle;
    claim.hosts.add(host);
    if (phase !== 'admitted') claim.gate = holdBack(handle);
    onClosed(handle, () => {
      claim.state = 'gone';
      claim.gate = null;
      claim.hosts.delete(host);
      parts.released(claim.listener.name);
    });
    return handle;
  }

  function covered(claim: Claim | null, host: string | null, port: number): Placement {
    const handle = coveredHandle(host, port);
    if (handle === null) return passThrough;
    if (claim !== null) {
      claim.hosts.add(host);
      onClosed(handle, () => claim.hosts.delete(host));
    }
    return { kind: 'handle', handle, backlog: 0 };
  }

  function placeOn(claim: Claim, host: string | null): Placement {
    const { name, backlog, fd, port } = claim.listener;
    const listening = (): void => {
      if (claim.state === 'held') parts.listening(name);
    };
    switch (claim.state) {
      case 'inherited': {
        const handle = openInherited(fd);
        // Then Node.js says what is wrong with the file descriptor, in its own words.
        if (handle === null) return { kind: 'instead', args: [{ fd }] };
        return { kind: 'handle', handle: hold(claim, host, handle), backlog, listening };
      }
      case 'held':
      case 'wanted':
        if (canShare(claim.hosts, host)) return covered(claim, host, port);
        // The kernel knows that the address is taken, so Node.js emits the very EADDRINUSE that it would without us.
        return { kind: 'instead', args: [{ port, host: host ?? claim.listener.host }] };
      case 'gone':
        return { kind: 'later', backlog, listening, request: (arrived) => want(claim, host, arrived) };
    }
  }

  function want(claim: Claim, host: string | null, arrived: (handle: RawHandle) => void): { cancel(): void } {
    const alive = setInterval(() => undefined, 2 ** 31 - 1);
    const over = (): void => {
      clearInterval(alive);
      claim.deliver = null;
      claim.hosts.delete(host);
    };
    claim.state = 'wanted';
    claim.hosts.add(host);
    claim.deliver = (handle) => {
      over();
      arrived(hold(claim, host, handle));
    };
    parts.wantListener(claim.listener.name);
    return {
      cancel() {
        if (claim.deliver === null) return;
        over();
        claim.state = 'gone';
      },
    };
  }

  function placeTcp(host: string | null, port: number): Placement {
    if (phase === 'closed') return covered(null, host, port);
    if (port === 0) return passThrough;
    const claim = claims.find(({ listener }) => matches(listener, host, port));
    if (claim === undefined) return warnOnce(writeAddress(host, port));
    if (isWiderThan(claim.listener, host)) parts.wide(writeAddress(host, port));
    return placeOn(claim, host);
  }

  return {
    place({ target }) {
      switch (target.kind) {
        case 'tcp':
          return placeTcp(target.host, target.port);
        case 'fd': {
          const claim = claims.find(({ listener }) => listener.fd === target.fd);
          if (claim === undefined) return passThrough;
          return phase === 'closed'
            ? covered(null, claim.listener.host, claim.listener.port)
            : placeOn(claim, null);
        }
        case 'path':
          return phase === 'closed' ? passThrough : warnOnce(target.path);
        case 'other':
          return passThrough;
      }
    },
    admit() {
      if (phase !== 'gated') return;
      phase = 'admitted';
      for (const claim of claims) {
        claim.gate?.admit(claim.listener.backlog);
        claim.gate = null;
      }
    },
    arrived(name, handle) {
      const claim = claims.find(({ listener }) => listener.name === name);
      if (claim?.deliver == null) handle.close();
      else claim.deliver(handle);
    },
    acceptingOn(name) {
      if (phase !== 'admitted') return null;
      return claims.find(({ listener, state }) => listener.name === name && state === 'held')?.handle ?? null;
    },
    nameOf: (handle) => claims.find((claim) => claim.handle === handle)?.listener.name ?? null,
    close() {
      phase = 'closed';
    },
  };
}
