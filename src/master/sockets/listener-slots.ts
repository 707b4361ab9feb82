/**
 * A listener as the workers of a program see it: one socket that they share or, with reuse_port, several, each with a queue of its own. Programs, and
 * versions of one, that hold the same listener may differ in that; the sockets are the same ones. Which worker has which queue is decided in
 * program/worker-queues.ts.
 */
import type { SocketAddress } from '../../shared/format-address.ts';
import type { Source } from './select-program.ts';
import type { InheritedSlots, SlotSocket, SlotSockets } from './slot-sockets.ts';

/** The sockets of a listener, as one of its holders sees them. A queue has a number from 0 on. */
export interface ListenerSlots {
  /**
   * From now on there is a socket for each queue. The first `count` of them are opened at once. `inherited`: those that the previous image of this process
   * has opened. Errors: `addressUnusable`.
   */
  open(count: number, inherited?: InheritedSlots): Promise<void>;
  isOpen(): boolean;
  /**
   * The socket with this queue, which is opened if necessary; null if it is the socket of the listener itself. If the workers of this holder share that one,
   * others may be left of an earlier holder. Errors: `addressUnusable`.
   */
  socketOf(queue: number): SlotSocket | null;
  /**
   * Directs new connections to these queues. `isServed`: whether their workers accept; otherwise clients wait there, unless workers of another holder
   * accept. Empty: none for this holder.
   */
  direct(queues: ReadonlySet<number>, isServed: boolean): void;
  /** Whether new connections come to this queue. */
  isDirectedTo(queue: number): boolean;
  /** Whether another holder, whose workers accept, has directed them there. */
  isDirectedElsewhere(queue: number): boolean;
  /**
   * Directs connections of one client to this queue, whatever the others get, until the function that it returns is called. Returns the name of the
   * error if that is not possible.
   */
  steer(queue: number, source: Source): (() => void) | string;
  /** How many connections wait in this queue. */
  queued(queue: number): number;
  /** Has to be called when a process has ended the listening of the sockets `shut`, and those in `open`, in this order, listen again. */
  listenAgain(shut: readonly number[], open: readonly number[]): void;
  /** The descriptors of all sockets other than that of the listener. */
  otherFds(): readonly number[];
  /** The queues in the order of their sockets in the kernel's group. */
  group(): readonly number[];
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
  /** To which queues connections are to come, by holder. */
  const wanted = new Map<object, { readonly queues: ReadonlySet<number>; readonly isServed: boolean }>();

  function direct(holder: object, queues: ReadonlySet<number>, isServed: boolean): void {
    if (queues.size === 0) wanted.delete(holder);
    else wanted.set(holder, { queues, isServed });
    const all = [...wanted.values()];
    const served = all.filter((one) => one.isServed);
    const chosen = served.length === 0 ? all : served;
    sockets?.direct(new Set(chosen.flatMap((one) => [...one.queues])));
  }

  function view(): ListenerSlots {
    const holder = {};
    let isOpen = false;
    const isShared = (queue: number): boolean => !isOpen && queue === 0;
    return {
      async open(count, inherited) {
        // Loaded only if a program needs it: most share one socket.
        const { createSlotSockets } = await import('./slot-sockets.ts');
        const { loadReusePortCalls } = await import('../system-calls/reuse-port-calls.ts');
        await loadReusePortCalls();
        sockets ??= createSlotSockets({ fd, handle }, address, backlog, inherited);
        sockets.of(count - 1);
        isOpen = true;
      },
      isOpen: () => isOpen,
      socketOf: (queue) => (queue > 0 ? (sockets?.of(queue) ?? null) : null),
      direct(queues, isServed) {
        direct(holder, isOpen || queues.size === 0 ? queues : shared, isServed);
      },
      isDirectedElsewhere: (queue) =>
        [...wanted].some(
          ([other, { queues, isServed }]) => other !== holder && isServed && queues.has(queue),
        ),
      isDirectedTo: (queue) => isShared(queue) || sockets?.isDirectedTo(queue) !== false,
      steer: (queue, source) => (isOpen ? sockets?.steer(queue, source) : undefined) ?? (() => undefined),
      queued: (queue) => (isShared(queue) ? 0 : (sockets?.queued(queue) ?? 0)),
      listenAgain: (shut, open) => sockets?.listenAgain(shut, open),
      otherFds: () => sockets?.others().map((one) => one.fd) ?? [],
      group: () => sockets?.group() ?? [0],
    };
  }

  return {
    view,
    close: () => sockets?.close(),
    shut: () => sockets?.shut(),
  };
}

/** The queue of the first socket, which all workers share otherwise. */
const shared: ReadonlySet<number> = new Set([0]);
