/**
 * The declared listeners inside this worker: which server holds which of them, and who has to wait. Owns the accept gate:
 * INVARIANT: before `admit`, and from `close` on, no server accepts a connection on a declared listener.
 * It must not know how a server is told (intercept-listen.ts) nor how the master is reached (channel.ts).
 */
import type { AnnouncedListener, MasterMessage, WantedAddress } from '../../shared/protocol.ts';
import {
  canShare,
  covers,
  isEverywhere,
  isNarrowerThan,
  isWiderThan,
  matches,
  writeAddress,
} from './addresses.ts';
import type { Placement } from './intercept-listen.ts';
import type { ListenCall } from './listen-call.ts';
import { acceptQueued } from './accept-queued.ts';
import {
  canBind,
  coveredHandle,
  holdBack,
  onClosed,
  openInherited,
  putAside,
  type Gate,
  type RawHandle,
} from '../node-internals/listening-handle.ts';
import { failListening, serverOf, swapHandle } from '../node-internals/server-handles.ts';

export interface ClaimsParts {
  readonly listeners: readonly AnnouncedListener[];
  /** A server needs another copy of the listener. */
  wantListener(name: string): void;
  /** A server asks for an address of its own, in place of the undecided listener. */
  wantAddress(name: string, wanted: WantedAddress): void;
  /** What had queued on the undecided listener was accepted. */
  emptied(name: string): void;
  /** The worker is not ready until what this returns is called. */
  hold(): () => void;
  listening(name: string): void;
  released(name: string): void;
  /** A listen somewhere that nobody declared; once for each address. */
  undeclared(address: string): void;
  /** A listen on one address got a listener that is open to everybody. */
  wide(address: string): void;
  /** A listen on every address got a listener for less, which an earlier generation had asked for. */
  narrow(address: string): void;
}

export interface Claims {
  place(call: ListenCall): Placement;
  /** Begins to accept. Calls back, once, when every listener is accepted on; with the problem when one cannot be. */
  admit(done: (problem: string | null) => void): void;
  /**
   * Accepts no more on the listener, until `resume`. `fresh` is another copy of it, which takes the place of the one that is accepted on:
   * `swap` closes that one and puts it there.
   */
  pause(name: string, fresh: RawHandle, swap: (before: RawHandle, after: RawHandle) => void): void;
  /** Nothing accepts. */
  isPaused(): boolean;
  /** Accepts again; answers what is wrong, or null. */
  resume(): string | null;
  /** A copy of a listener has come from the master. */
  arrived(name: string, handle: RawHandle): void;
  /** The master has bound the address that a server asks for, or has not. */
  answered(answer: AddressAnswer, handle: RawHandle | null): void;
  /** The handle that accepts on the listener; null before `admit`, and when no server of this process listens on it. */
  acceptingOn(name: string): RawHandle | null;
  /** Is it the address of a listener that the master holds? */
  isDeclared(host: string | null, port: number): boolean;
  /** The listener that the handle is for, or null. */
  nameOf(handle: unknown): string | null;
  /** From now on nothing that is told to listen accepts. */
  close(): void;
}

export type AddressAnswer = Extract<MasterMessage, { readonly type: 'address' | 'addressRefused' }>;

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

/** A listener that is open to every address until a server says what it asks for. */
interface Undecided {
  readonly claim: Claim;
  /** What the servers that asked for addresses of their own have got. */
  readonly fitted: (WantedAddress & { readonly claim: Claim })[];
  readonly waiting: Waiting[];
  /** What servers listen on that may only look whether it is free: nothing is asked for yet. */
  readonly looks: WantedAddress[];
  /** What has queued on it is accepted, once, when the servers that asked for addresses of their own have got them. */
  emptying: 'notYet' | 'begun' | 'done';
}

interface Waiting extends WantedAddress {
  readonly answered: (answer: AddressAnswer, handle: RawHandle | null) => void;
}

const passThrough: Placement = { kind: 'passThrough', isOutside: false };
const outside: Placement = { kind: 'passThrough', isOutside: true };

export function createClaims(parts: ClaimsParts): Claims {
  const undecided = parts.listeners
    .filter(({ isUndecided }) => isUndecided === true)
    .map((listener): Undecided => ({
      claim: claimOf(listener, 'inherited'),
      fitted: [],
      waiting: [],
      looks: [],
      emptying: 'notYet',
    }));
  const claims = parts.listeners
    .filter(({ isUndecided }) => isUndecided !== true)
    .map((listener) => claimOf(listener, 'inherited'));
  const warned = new Set<string>();
  let phase: 'gated' | 'admitted' | 'closed' = 'gated';
  let isPaused = false;
  /** Waits for a server that was closed between ready and admission, and listens again. */
  let whenAccepting: ((problem: null) => void) | null = null;

  function tellWhenAccepting(): void {
    if (whenAccepting === null || claims.some(({ state }) => state === 'wanted')) return;
    // Then the master closes what nothing listens on any more, before it says that the generation serves.
    if (undecided.some(({ emptying }) => emptying === 'begun')) return;
    const held = new Set(claims.filter(({ state }) => state === 'held').map(declaredName));
    if (claims.some((claim) => !held.has(declaredName(claim)))) return;
    const tell = whenAccepting;
    whenAccepting = null;
    tell(null);
  }

  /** Answers what is wrong, or null. */
  function openGates(): string | null {
    let problem: string | null = null;
    for (const claim of claims) {
      const { gate, listener } = claim;
      const error = gate?.admit(listener.backlog) ?? 0;
      claim.gate = null;
      if (error !== 0)
        problem = `listen on ${writeAddress(listener.host, listener.port)} failed with ${errorName(error)}`;
    }
    return problem;
  }

  function warnOnce(address: string): Placement {
    if (!warned.has(address)) {
      warned.add(address);
      parts.undeclared(address);
    }
    return outside;
  }

  /** Makes the handle the claim's: gated where it must be, and known when it is closed. */
  function hold(claim: Claim, host: string | null, handle: RawHandle): RawHandle {
    const isInherited = claim.state === 'inherited';
    claim.state = 'held';
    claim.handle = handle;
    claim.hosts.add(host);
    if (phase !== 'admitted' || isPaused) claim.gate = holdBack(handle);
    const released = (): void => {
      claim.gate?.letGo();
      claim.gate = null;
      claim.hosts.delete(host);
      const name = declaredName(claim);
      if (!claims.some((one) => one.state === 'held' && declaredName(one) === name)) parts.released(name);
    };
    const closed = (): void => {
      // Another one has taken its place.
      if (claim.handle !== handle) return;
      claim.state = 'gone';
      released();
    };
    // Before it accepts, the descriptor stays: the next server to listen has it at once, as without a master.
    if (isInherited && phase === 'gated') {
      putAside(
        handle,
        () => phase === 'gated',
        (isClosed) => {
          if (isClosed) {
            closed();
            return;
          }
          claim.state = 'inherited';
          released();
        },
      );
    } else onClosed(handle, closed);
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

  function placeOn(
    claim: Claim,
    host: string | null,
    isIPv6Only = false,
    warn: () => void = () => undefined,
  ): Placement {
    const { backlog, fd, port } = claim.listener;
    const listening = (): void => {
      // It has only looked whether the port is free.
      if (claim.state !== 'held') return;
      warn();
      parts.listening(declaredName(claim));
      tellWhenAccepting();
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
        if (canShare(claim.hosts, host)) {
          warn();
          return covered(claim, host, port);
        }
        // The kernel knows that the address is taken, so Node.js emits the very EADDRINUSE that it would without us.
        return byItself(port, host ?? claim.listener.host, isIPv6Only);
      case 'gone':
        return {
          kind: 'later',
          backlog,
          listening,
          address: host === null ? claim.listener : null,
          request: (arrived) => want(claim, host, arrived),
        };
    }
  }

  function want(claim: Claim, host: string | null, arrived: (handle: RawHandle) => void): { cancel(): void } {
    const letGo = keepAlive();
    const over = (): void => {
      letGo();
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

  /** A server listens on it as it is: it is decided. */
  function keep({ claim }: Undecided): Claim {
    const at = undecided.findIndex((one) => one.claim === claim);
    if (at !== -1) {
      undecided.splice(at, 1);
      claims.push(claim);
    }
    return claim;
  }

  function placeUndecided(open: Undecided, host: string | null, isIPv6Only: boolean): Placement {
    const { claim, fitted, waiting, looks } = open;
    const { port, backlog } = claim.listener;
    const isSame = (one: WantedAddress): boolean =>
      one.host === (host ?? '::') && one.isIPv6Only === isIPv6Only;
    if (isEverywhere(host, isIPv6Only) || (host === claim.listener.host && !isIPv6Only)) {
      if (fitted.length + waiting.length + looks.length > 0) return byItself(port, host, isIPv6Only);
      return placeOn(keep(open), host);
    }
    const same = fitted.find(isSame);
    if (same !== undefined) return placeOn(same.claim, host, isIPv6Only);
    if (waiting.some(isSame) || looks.some(isSame)) return byItself(port, host, isIPv6Only);
    const wanted = { host: host ?? '::', isIPv6Only };
    if (phase === 'gated' && isNumeric(wanted.host))
      return canBind(wanted.host) ? lookFirst(open, wanted) : byItself(port, host, isIPv6Only);
    let got: Claim = claim;
    return {
      kind: 'later',
      backlog,
      listening: () => {
        if (got.state === 'held') parts.listening(declaredName(got));
      },
      address: null,
      request: (arrived, refused) =>
        ask(
          open,
          wanted,
          (by, handle) => {
            got = by;
            arrived(handle);
          },
          refused,
        ),
    };
  }

  /**
   * A server listens for a moment with a handle that is none, and only one that still listens then gets the address: programs look at
   * every address of the machine (portfinder), and listen on all of them at once when they are free.
   */
  function lookFirst(open: Undecided, wanted: WantedAddress): Placement {
    const { port, backlog } = open.claim.listener;
    const handle = coveredHandle(wanted.host, port);
    if (handle === null) return passThrough;
    holdBack(handle);
    const ready = parts.hold();
    let isOpen = true;
    let asked: { cancel(): void } | null = null;
    const looked = (): void => {
      const at = open.looks.indexOf(wanted);
      if (at !== -1) open.looks.splice(at, 1);
      ready();
    };
    onClosed(handle, () => {
      isOpen = false;
      looked();
      asked?.cancel();
    });
    open.looks.push(wanted);
    const listen = (): void => {
      const server = isOpen ? serverOf(handle) : null;
      if (server === null) return;
      asked = ask(
        open,
        wanted,
        (claim, real) => {
          asked = null;
          swapHandle(server, handle, real);
          handle.close();
          if (claim.state === 'held') parts.listening(declaredName(claim));
        },
        () => {
          asked = null;
          failListening(server, handle, wanted.host, port);
        },
      );
      looked();
    };
    return { kind: 'handle', handle, backlog, listening: () => setImmediate(listen) };
  }

  function ask(
    open: Undecided,
    wanted: WantedAddress,
    arrived: (claim: Claim, handle: RawHandle) => void,
    refused: (args: readonly unknown[]) => void,
  ): { cancel(): void } {
    const { listener } = open.claim;
    const { host, isIPv6Only } = wanted;
    const letGo = keepAlive();
    const ready = parts.hold();
    const over = (): void => {
      letGo();
      // When the server has said that it listens.
      setImmediate(ready);
      open.waiting.splice(open.waiting.indexOf(waiting), 1);
    };
    const waiting: Waiting = {
      ...wanted,
      answered(answer, handle) {
        over();
        if (answer.type === 'address' && handle !== null) {
          const isTaken = claims.some((one) => one.listener.name === answer.bound.name);
          if (isTaken) {
            handle.close();
            refused([listenOptions(listener.port, host, isIPv6Only)]);
            return;
          }
          const claim = claimOf({ ...answer.bound, fd: -1, standsFor: listener.name }, 'wanted');
          claims.unshift(claim);
          open.fitted.push({ ...wanted, claim });
          arrived(claim, hold(claim, host, handle));
          if (phase === 'admitted') empty(open);
          return;
        }
        const placement =
          answer.type === 'addressRefused' && answer.isShared ? placeShared(open, host) : null;
        if (placement?.kind === 'handle') arrived(open.claim, placement.handle);
        else if (placement?.kind === 'later')
          placement.request((copy) => {
            arrived(open.claim, copy);
          }, refused);
        else {
          if (phase === 'admitted') warnOnce(writeAddress(host, listener.port));
          refused([listenOptions(listener.port, host, isIPv6Only)]);
        }
      },
    };
    open.waiting.push(waiting);
    parts.wantAddress(listener.name, wanted);
    return {
      cancel() {
        if (open.waiting.includes(waiting)) over();
      },
    };
  }

  function placeShared(open: Undecided, host: string): Placement {
    parts.wide(writeAddress(host, open.claim.listener.port));
    return placeOn(keep(open), host);
  }

  /** Takes what has queued on a listener that nothing listens on any more, once. */
  function empty(open: Undecided): void {
    if (open.emptying !== 'notYet' || open.fitted.length === 0) return;
    open.emptying = 'begun';
    const { name, fd, backlog } = open.claim.listener;
    acceptQueued(
      fd,
      backlog,
      (local) =>
        open.fitted.find(({ claim }) => claim.state === 'held' && covers(claim.listener.host, local))?.claim
          .handle ?? null,
      () => {
        open.emptying = 'done';
        parts.emptied(name);
        tellWhenAccepting();
      },
    );
  }

  function placeTcp(host: string | null, port: number, isIPv6Only: boolean): Placement {
    if (phase === 'closed') return covered(null, host, port);
    if (port === 0) return passThrough;
    const open = undecided.find(({ claim }) => claim.listener.port === port);
    if (open !== undefined) return placeUndecided(open, host, isIPv6Only);
    const claim =
      claims.find(({ listener }) => listener.port === port && listener.host === (host ?? '::')) ??
      claims.find(({ listener }) => matches(listener, host, port));
    if (claim === undefined) return warnOnce(writeAddress(host, port));
    const { listener } = claim;
    return placeOn(claim, host, isIPv6Only, () => {
      if (isWiderThan(listener, host)) parts.wide(writeAddress(host, port));
      else if (listener.standsFor !== undefined && isNarrowerThan(listener, host, isIPv6Only))
        parts.narrow(writeAddress(host, port));
    });
  }

  return {
    place({ target }) {
      switch (target.kind) {
        case 'tcp':
          return placeTcp(target.host, target.port, target.isIPv6Only);
        case 'fd': {
          const open = undecided.find(({ claim }) => claim.listener.fd === target.fd);
          const claim =
            open === undefined ? claims.find(({ listener }) => listener.fd === target.fd) : keep(open);
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
    admit(done) {
      if (phase !== 'gated') return;
      phase = 'admitted';
      const problem = openGates();
      if (problem !== null) {
        done(problem);
        return;
      }
      for (const open of undecided) empty(open);
      whenAccepting = done;
      tellWhenAccepting();
    },
    pause(name, fresh, swap) {
      const claim = claims.find(({ listener, state }) => listener.name === name && state === 'held');
      const before = claim?.handle ?? null;
      // A server that was closed, and listens again before `resume`, does not accept either.
      isPaused = phase === 'admitted';
      if (claim === undefined || before === null || !isPaused) {
        fresh.close();
        return;
      }
      const [host = null] = claim.hosts;
      hold(claim, host, fresh);
      swap(before, fresh);
    },
    isPaused: () => isPaused && claims.every(({ state, gate }) => state !== 'held' || gate !== null),
    resume() {
      isPaused = false;
      return phase === 'admitted' ? openGates() : null;
    },
    arrived(name, handle) {
      const claim = claims.find(({ listener }) => listener.name === name);
      if (claim?.deliver == null) handle.close();
      else claim.deliver(handle);
    },
    answered(answer, handle) {
      const waiting = undecided
        .find(({ claim }) => claim.listener.name === answer.name)
        ?.waiting.find(({ host, isIPv6Only }) => host === answer.host && isIPv6Only === answer.isIPv6Only);
      if (waiting === undefined) handle?.close();
      else waiting.answered(answer, handle);
    },
    acceptingOn(name) {
      if (phase !== 'admitted') return null;
      return claims.find(({ listener, state }) => listener.name === name && state === 'held')?.handle ?? null;
    },
    isDeclared: (host, port) => parts.listeners.some((listener) => matches(listener, host, port)),
    nameOf: (handle) => claims.find((claim) => claim.handle === handle)?.listener.name ?? null,
    close() {
      phase = 'closed';
    },
  };
}

function claimOf(listener: AnnouncedListener, state: Claim['state']): Claim {
  return { listener, state, gate: null, handle: null, hosts: new Set(), deliver: null };
}

/** What readiness is about. */
function declaredName({ listener }: Claim): string {
  return listener.standsFor ?? listener.name;
}

/** Node.js does it, with the answer of the kernel. */
function byItself(port: number, host: string | null, isIPv6Only: boolean): Placement {
  return { kind: 'instead', args: [listenOptions(port, host, isIPv6Only)] };
}

function listenOptions(port: number, host: string | null, isIPv6Only: boolean): object {
  return { port, ...(host === null ? {} : { host }), ...(isIPv6Only ? { ipv6Only: true } : {}) };
}

/** The process does not end while a server waits for its handle. */
function keepAlive(): () => void {
  const alive = setInterval(() => undefined, 2 ** 31 - 1);
  return () => {
    clearInterval(alive);
  };
}

function isNumeric(host: string): boolean {
  return process.getBuiltinModule('node:net').isIP(host) !== 0;
}

function errorName(errno: number): string {
  return process.getBuiltinModule('node:util').getSystemErrorName(-Math.abs(errno));
}
