/** One declared listener in this worker, and whether a server listens on it. */
import {
  declaredName,
  type AnnouncedListener,
  type AnnouncedTcpListener,
  type AnnouncedUdpListener,
} from '../../shared/protocol.ts';
import type { HeldHandle, RawHandle } from '../node-internals/listening-handle.ts';

export interface Binding<Listener extends AnnouncedListener = AnnouncedListener> {
  readonly listener: Listener;
  /**
   * The state of the binding. `inherited`: no server listens on it, and its descriptor is open. `held`: a server listens on it. `requested`: a server
   * waits for a copy from the master. `closed`: its server has closed it, and the inherited descriptor with it.
   */
  state: 'inherited' | 'held' | 'requested' | 'closed';
  /** The handle that the accept gate holds back, or null if it holds back none. */
  heldBack: HeldHandle | null;
  /** The handle that listens. It is kept after its server has closed it, because connections accepted on it still belong to this listener. */
  handle: RawHandle | null;
  /** The other socket of the same declared listener whose server accepts on this one too; null if this one has a server of its own, or none. */
  servedBy: Binding | null;
  /** The hosts that the servers on it asked for. */
  readonly hosts: Set<string | null>;
  /** Gives the server the copy that it waits for, or null if none waits. */
  deliver: ((handle: RawHandle) => void) | null;
  /** The number of copies of the listener that were requested. */
  requests: number;
  /** Ends the wait for the copy that was requested last, or null if none waits. */
  refuse: (() => void) | null;
}

export function createBinding<Listener extends AnnouncedListener>(
  listener: Listener,
  state: 'inherited' | 'requested',
): Binding<Listener> {
  return {
    listener,
    state,
    heldBack: null,
    handle: null,
    servedBy: null,
    hosts: new Set(),
    deliver: null,
    requests: 0,
    refuse: null,
  };
}

/** Returns the sockets of the same declared listener, this one included. */
export function siblingsOf(binding: Binding, bindings: readonly Binding[]): readonly Binding[] {
  return bindings.filter((one) => declaredName(one.listener) === declaredName(binding.listener));
}

export type TcpBinding = Binding<AnnouncedTcpListener>;

export function isTcp(binding: Binding): binding is TcpBinding {
  return binding.listener.type === 'tcp';
}

export type UdpBinding = Binding<AnnouncedUdpListener>;

export function isUdp(binding: Binding): binding is UdpBinding {
  return binding.listener.type === 'udp';
}
