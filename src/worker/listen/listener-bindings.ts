/**
 * The declared listeners inside this worker: decides which server gets which of them, and joins the parts that this takes: the accept
 * gate (accept-gate.ts), a server's place on a listener (place-server.ts), and listeners without an address (undecided-listeners.ts).
 */
import type { AnnouncedListener, AnnouncedTcpListener } from '../../shared/protocol.ts';
import { openInherited, type RawHandle } from '../node-internals/listening-handle.ts';
import { acceptFor } from '../node-internals/server-handles.ts';
import { createAcceptGate, type AcceptGate } from './accept-gate.ts';
import {
  isNarrowerThan,
  isWiderThan,
  isWildcard,
  matches,
  matchesPath,
  writeAddress,
  writePath,
} from './addresses.ts';
import { createBinding, isTcp, isUdp, siblingsOf, type Binding, type TcpBinding } from './binding.ts';
import type { Datagrams, DatagramParts } from './datagram-sockets.ts';
import type { ListenCall } from './listen-call.ts';
import { createServerPlacement, type ServerPlacementParts } from './place-server.ts';
import type { createSiblingListeners } from './sibling-listeners.ts';
import { withRealFolder } from './real-folder.ts';
import { passThrough, passThroughOutside, type Placement } from './placement.ts';
import {
  createUndecidedListeners,
  type AddressAnswer,
  type UndecidedListenersParts,
} from './undecided-listeners.ts';

export type ListenerBindingsParts = Omit<ServerPlacementParts, 'bindings' | 'gate' | 'serveSiblings'> &
  Omit<UndecidedListenersParts, 'bindings' | 'gate' | 'placement' | 'listeners'> & {
    readonly listeners: readonly AnnouncedListener[];
    /** Makes a server accept on all sockets of its listener; null if each declared listener has one socket. */
    readonly createSiblings: typeof createSiblingListeners | null;
    /** Opens the UDP sockets. Called if a UDP listener is declared. */
    readonly openDatagrams: (own: Pick<DatagramParts, 'bindings' | 'gate' | 'report'>) => Datagrams;
  };

export interface ListenerBindings extends Pick<AcceptGate, 'admit' | 'isPaused' | 'resume' | 'close'> {
  place(call: ListenCall): Placement;
  /**
   * Stops accepting on the listener until `resume`. `fresh` is another copy of the listener; `swap` puts it in the place of the one that is accepted
   * on, and closes that one. `fresh` is null for a UDP listener, which needs none.
   */
  pause(name: string, fresh: RawHandle | null, swap: (before: RawHandle, after: RawHandle) => void): void;
  /** Takes a copy of a listener from the master. */
  copyArrived(name: string, handle: RawHandle): void;
  /** Call it when the master has answered this request and all before it: a copy that has not arrived by then never will. */
  copiesSent(name: string, request: number): void;
  /** Takes the master's answer to a request for an address. */
  addressAnswered(answer: AddressAnswer, handle: RawHandle | null): void;
  /** Returns the handle that accepts on the listener; null before `admit`, and if no server of this process listens on it. */
  acceptingOn(name: string): RawHandle | null;
  /** Whether the address belongs to a listener that the master holds. */
  isDeclared(host: string | null, port: number): boolean;
  /**
   * Returns the name of the listener that the handle is for, or null. `local`: the local address of a connection that the server with this handle has
   * accepted, perhaps on another socket of the declared listener.
   */
  nameOf(handle: unknown, local?: () => string | undefined): string | null;
  /** The UDP sockets of this worker, or null if no UDP listener is declared. */
  readonly datagrams: Datagrams | null;
}

export function createListenerBindings(parts: ListenerBindingsParts): ListenerBindings {
  const { listeners } = parts;
  const isUndecided = (listener: AnnouncedListener): listener is AnnouncedTcpListener =>
    listener.type === 'tcp' && listener.isUndecided === true;
  const bindings: Binding[] = listeners
    .filter((listener) => !isUndecided(listener))
    .map((listener) => createBinding(listener, 'inherited'));
  /** The undeclared addresses that were reported: each is reported once. */
  const warned = new Set<string>();
  const report: typeof parts.report = (kind, address) => {
    if (kind === 'undeclaredListen') {
      if (warned.has(address)) return;
      warned.add(address);
    }
    parts.report(kind, address);
  };
  const gate = createAcceptGate({
    bindings,
    opened: () => {
      siblings?.serve();
      undecided.acceptQueues();
    },
    isAcceptingQueue: () => undecided.isAcceptingQueue(),
  });
  const placement = createServerPlacement({
    ...parts,
    bindings,
    gate,
    serveSiblings: () => siblings?.serve(),
  });
  const siblings =
    parts.createSiblings?.({
      bindings,
      open: openInherited,
      acceptFor,
      hold: (binding, handle) => placement.hold(binding, null, handle),
      requestCopy: (binding, arrived) => placement.requestCopy(binding, null, arrived, () => undefined),
    }) ?? null;
  const undecided = createUndecidedListeners({
    ...parts,
    listeners: listeners.filter(isUndecided),
    bindings,
    gate,
    placement,
    report,
  });

  const find = (isMeant: (listener: AnnouncedListener) => boolean): Binding | undefined =>
    bindings.find(({ listener }) => isMeant(listener));
  const findTcp = (isMeant: (listener: AnnouncedTcpListener) => boolean): TcpBinding | undefined =>
    bindings.filter(isTcp).find(({ listener }) => isMeant(listener));
  const heldBinding = (name: string): Binding | undefined =>
    bindings.find(({ listener, state }) => listener.name === name && state === 'held');

  function isDeclared(host: string | null, port: number): boolean {
    return listeners.some((listener) => listener.type === 'tcp' && matches(listener, host, port));
  }

  function placeOutside(address: string): Placement {
    report('undeclaredListen', address);
    return passThroughOutside;
  }

  /** Returns the binding whose server listens on every address, if there is one: it leaves none of a host name's addresses for another server. */
  function holderOfEvery(binding: TcpBinding): TcpBinding {
    if (binding.listener.hostName === undefined) return binding;
    const holder = siblingsOf(binding, bindings).find(
      ({ state, servedBy, hosts }) => state === 'held' && servedBy === null && [...hosts].some(isWildcard),
    );
    return holder !== undefined && isTcp(holder) ? holder : binding;
  }

  function placeTcp(host: string | null, port: number, isIPv6Only: boolean): Placement {
    if (port === 0) return passThrough;
    if (gate.phase() === 'closed')
      return isDeclared(host, port) ? placement.placeOnStandIn(null, host, port) : passThrough;
    const placed = undecided.place(host, port, isIPv6Only);
    if (placed !== null) return placed;
    const meant =
      findTcp((listener) => listener.port === port && listener.host === (host ?? '::')) ??
      findTcp((listener) => matches(listener, host, port));
    if (meant === undefined) return placeOutside(writeAddress(host, port));
    const binding = holderOfEvery(meant);
    const { listener } = binding;
    return placement.place(binding, host, isIPv6Only, () => {
      if (isWiderThan(listener, host)) report('wideListen', writeAddress(host, port));
      else if (
        listener.standsFor !== undefined &&
        listener.hostName === undefined &&
        listener.isInherited !== true &&
        isNarrowerThan(listener, host, isIPv6Only)
      )
        report('narrowListen', writeAddress(host, port));
    });
  }

  function placeOnDescriptor(fd: number): Placement {
    const binding = undecided.decide(fd) ?? find((listener) => listener.fd === fd && listener.type !== 'udp');
    if (binding === undefined) return passThrough;
    if (gate.phase() !== 'closed') return placement.place(binding, null);
    const { listener } = binding;
    return listener.type === 'unix'
      ? placement.placeOnStandIn(null, null, 0)
      : placement.placeOnStandIn(null, listener.host, listener.port);
  }

  function placeAtPath(written: string): Placement {
    const path = writePath(written);
    const binding = find(
      (listener) => listener.type === 'unix' && matchesPath(listener, path, withRealFolder(path)),
    );
    if (gate.phase() === 'closed')
      return binding === undefined ? passThrough : placement.placeOnStandIn(null, null, 0);
    return binding === undefined ? placeOutside(path) : placement.place(binding, null);
  }

  const ofUdp = bindings.filter(isUdp);
  const datagrams = ofUdp.length === 0 ? null : parts.openDatagrams({ bindings: ofUdp, gate, report });

  return {
    ...gate,
    datagrams,
    place({ target }) {
      switch (target.kind) {
        case 'tcp':
          return placeTcp(target.host, target.port, target.isIPv6Only);
        case 'fd':
          return placeOnDescriptor(target.fd);
        case 'path':
          return placeAtPath(target.path);
        case 'other':
          return passThrough;
      }
    },
    pause(name, fresh, swap) {
      const binding = heldBinding(name);
      const before = binding?.handle ?? null;
      // Paused even if no server listens: one that listens again before `resume` must not accept either.
      const isPaused = gate.pause();
      if (binding !== undefined && isUdp(binding) && isPaused) datagrams?.pause(binding);
      if (binding === undefined || before === null || fresh === null || !isPaused) {
        fresh?.close();
        return;
      }
      if (binding.servedBy !== null) {
        siblings?.replace(binding, fresh);
        return;
      }
      const [host = null] = binding.hosts;
      placement.hold(binding, host, fresh);
      swap(before, fresh);
    },
    copiesSent(name, request) {
      const binding = find((listener) => listener.name === name);
      if (binding !== undefined && binding.requests <= request) binding.refuse?.();
    },
    copyArrived(name, handle) {
      const binding = find((listener) => listener.name === name);
      if (binding?.deliver == null) handle.close();
      else binding.deliver(handle);
    },
    addressAnswered: undecided.answered,
    acceptingOn: (name) => {
      const held = gate.phase() === 'admitted' ? heldBinding(name) : undefined;
      return (held?.servedBy ?? held)?.handle ?? null;
    },
    isDeclared,
    nameOf: (handle, local = () => undefined) => {
      const binding = bindings.find((one) => one.handle === handle);
      if (binding === undefined) return null;
      const siblings = siblingsOf(binding, bindings).filter(isTcp);
      const address = siblings.length > 1 ? local() : undefined;
      return (siblings.find(({ listener }) => listener.host === address) ?? binding).listener.name;
    },
  };
}
