/**
 * A listener as the slots of a program see it: one socket that they share or, with reuse_port, one for each. Programs, and versions of
 * one, that hold the same listener may differ in that; the sockets are the same ones.
 */
import type { SocketAddress } from '../../shared/format-address.ts';
import type { SlotSocket, SlotSockets } from './slot-sockets.ts';

/** The slots of a listener, as one of its holders sees them. */
export interface ListenerSlots {
  /** Gives each slot a socket of its own from now on. The sockets of the first `count` slots are opened at once. Errors: `addressUnusable`. */
  open(count: number): Promise<void>;
  isOpen(): boolean;
  /** The socket of a slot, which is opened if necessary; null if it is the socket of the listener itself. Errors: `addressUnusable`. */
  socketOf(slot: number): SlotSocket | null;
  /** Directs new connections to these slots of this holder, which accept. Empty: none of them does. */
  direct(slots: ReadonlySet<number>): void;
  /** Whether new connections come to the socket of this slot. */
  isDirectedTo(slot: number): boolean;
  /** How many connections wait for this slot. */
  queued(slot: number): number;
  /** The descriptors of all sockets other than that of the listener. */
  otherFds(): readonly number[];
}

export interface SlotsOfListener {
  view(): ListenerSlots;
  /** Closes every socket except that of the listener. */
  close(): void;
  shut(): void;
}

export function createListenerSlots({
  fd,
  handle,
  address,
  backlog,
}: SlotSocket & { readonly address: SocketAddress; readonly backlog: number }): SlotsOfListener {
  let sockets: SlotSockets | null = null;
  /** The slots that accept, by their holder. */
  const accepting = new Map<object, ReadonlySet<number>>();

  function direct(holder: object, slots: ReadonlySet<number>): void {
    if (slots.size === 0) accepting.delete(holder);
    else accepting.set(holder, slots);
    sockets?.direct(new Set([...accepting.values()].flatMap((one) => [...one])));
  }

  function view(): ListenerSlots {
    const holder = {};
    let isOpen = false;
    return {
      async open(count) {
        // Loaded only if a program needs it: most share one socket.
        const { createSlotSockets } = await import('./slot-sockets.ts');
        const { loadReusePortCalls } = await import('../system-calls/reuse-port-calls.ts');
        await loadReusePortCalls();
        sockets ??= createSlotSockets({ fd, handle }, address, backlog);
        sockets.of(count - 1);
        isOpen = true;
      },
      isOpen: () => isOpen,
      socketOf: (slot) => (isOpen && slot > 0 ? (sockets?.of(slot) ?? null) : null),
      direct(slots) {
        direct(holder, isOpen || slots.size === 0 ? slots : shared);
      },
      isDirectedTo: (slot) => !isOpen || sockets?.isDirectedTo(slot) !== false,
      queued: (slot) => (isOpen ? (sockets?.queued(slot) ?? 0) : 0),
      otherFds: () => sockets?.others().map((one) => one.fd) ?? [],
    };
  }

  return {
    view,
    close: () => sockets?.close(),
    shut: () => sockets?.shut(),
  };
}

/** The slot with the first socket, which all slots share otherwise. */
const shared: ReadonlySet<number> = new Set([0]);
