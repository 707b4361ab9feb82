/**
 * The listening sockets of one address, each with an accept queue of its own (SO_REUSEPORT). The master holds all of them as long as it holds the
 * address, because a socket that is closed loses its queue. So a socket whose worker is gone stays, and gets no new connections until another worker has
 * it.
 */
import { closeSync } from 'node:fs';
import { GracefulRunError } from '../../shared/errors.ts';
import { formatSocketAddress, type SocketAddress } from '../../shared/format-address.ts';
import { shortageHint } from '../../shared/shortage.ts';
import {
  attachSelection,
  listenAlongside,
  queueLength,
  takePackets,
} from '../system-calls/reuse-port-calls.ts';
import { shutListener } from '../system-calls/socket-calls.ts';
import { handleOfServed, handleOver, type ServerHandle } from './server-handle.ts';
import { rejoined, selectSocket, type Source } from './select-program.ts';

export interface SlotSocket {
  readonly fd: number;
  readonly handle: ServerHandle;
}

export interface SlotSockets {
  /** The socket with this queue. It is opened if necessary, after all before it. Errors: `addressUnusable`. */
  of(queue: number): SlotSocket;
  /** Directs new connections to these queues alone. Empty: nothing changes. */
  direct(queues: ReadonlySet<number>): void;
  isDirectedTo(queue: number): boolean;
  /**
   * Directs connections of one client to this queue, whatever the others get, until the function that it returns is called. Returns the name of the
   * error if that is not possible.
   */
  steer(queue: number, source: Source): (() => void) | string;
  /** How many connections wait in this queue. */
  queued(queue: number): number;
  /** Has to be called when a process has ended the listening of the sockets `shut`, and those in `open`, in this order, listen again. */
  listenAgain(shut: readonly number[], open: readonly number[]): void;
  /** All sockets except the first one, which belongs to the listener. */
  others(): readonly SlotSocket[];
  /** The queues in the order of their sockets in the kernel's group. */
  group(): readonly number[];
  /** Closes the others. */
  close(): void;
  /** Ends the listening of the others for every process. */
  shut(): void;
}

/** Sockets that the previous image of this process has opened. */
export interface InheritedSlots {
  /** The descriptors of the sockets of the queues from 1 on. */
  readonly fds: readonly number[];
  /** The queues in the order of their sockets in the kernel's group. */
  readonly group: readonly number[];
}

/**
 * Makes the sockets. `inherited`: those that are open already. `first`: the socket of queue 0, which listens already. Only after `loadReusePortCalls`. If the kernel has no such sockets, of()
 * reports it.
 */
export function createSlotSockets(
  first: SlotSocket,
  address: SocketAddress,
  backlog: number,
  inherited: InheritedSlots | null = null,
): SlotSockets {
  /** The sockets by their queue. None of them is closed before all are. */
  const sockets: SlotSocket[] = [first];
  /** The queues in the order of their sockets in the kernel's group, to whose indices its program refers. */
  let group: readonly number[] = [0];
  let directed: readonly number[] = [0];
  /** The clients that are to get a queue of their own. */
  const steered = new Map<Source, number>();
  if (inherited !== null) {
    for (const fd of inherited.fds) {
      const handle = handleOfServed(fd);
      if (typeof handle === 'string') throw cannotOpen(address, handle);
      sockets.push({ fd, handle });
    }
    group = inherited.group;
    // To which of them the kernel directs connections is not known here, so the first direct() tells it.
    directed = [];
  }

  /** Directs new connections. Returns null, or the name of the error. */
  function attach(queues: readonly number[]): string | null {
    const indices = queues
      .map((queue) => group.indexOf(queue))
      .filter((index) => index !== -1)
      .sort((one, other) => one - other);
    const own = [...steered].map(([source, queue]) => ({ source, index: group.indexOf(queue) }));
    if (indices.length === 0) return 'EINVAL';
    // By a socket that serves: one whose listening was ended is in no group.
    const { fd } = sockets[queues[0] ?? 0] ?? first;
    return attachSelection(fd, selectSocket(indices, own));
  }

  function open(): void {
    const fd = listenAlongside(first.fd, backlog);
    if (typeof fd === 'string') throw cannotOpen(address, fd);
    const handle = handleOver(fd);
    if (typeof handle === 'string') {
      closeSync(fd);
      throw cannotOpen(address, handle);
    }
    // Directed at once, because the new socket has no worker yet that accepts. The group keeps the setting for sockets that join later.
    const problem = (sockets.length > 1 ? null : attach(directed)) ?? takePackets(fd);
    if (problem !== null) {
      handle.close();
      throw cannotOpen(address, problem);
    }
    group = [...group, sockets.length];
    sockets.push({ fd, handle });
  }

  return {
    of(queue) {
      while (sockets.length <= queue) open();
      return sockets[queue] ?? first;
    },
    direct(queues) {
      const wanted = [...queues].filter((queue) => queue < sockets.length).sort((one, other) => one - other);
      if (wanted.length === 0 || wanted.join() === directed.join()) return;
      // With only one socket, there is nothing to choose.
      if (sockets.length > 1 && attach(wanted) !== null) return;
      directed = wanted;
    },
    isDirectedTo: (queue) => directed.includes(queue),
    steer(queue, source) {
      // With only one socket, there is nothing to choose.
      if (sockets.length === 1) return () => undefined;
      steered.set(source, queue);
      const problem = attach(directed);
      if (problem !== null) steered.delete(source);
      return (
        problem ??
        (() => {
          if (steered.delete(source) && sockets.length > 1) attach(directed);
        })
      );
    },
    queued: (queue) => queueLength(sockets[queue]?.fd ?? -1),
    listenAgain(shut, open) {
      const queuesOf = (fds: readonly number[]): readonly number[] =>
        fds.map((fd) => sockets.findIndex((one) => one.fd === fd)).filter((queue) => queue !== -1);
      group = rejoined(group, queuesOf(shut), queuesOf(open));
      if (sockets.length > 1) attach(directed);
    },
    others: () => sockets.slice(1),
    group: () => group,
    close() {
      for (const { handle } of sockets.splice(1)) handle.close();
      group = [0];
    },
    shut() {
      for (const { fd } of sockets.slice(1)) shutListener(fd);
    },
  };
}

function cannotOpen(address: SocketAddress, code: string): GracefulRunError {
  const hint = shortageHint(code) ?? 'leave out reuse_port (--reuse-port): the workers then share one';
  return new GracefulRunError(
    'addressUnusable',
    `cannot give each worker a listening socket of its own on ${formatSocketAddress(address)}: ${code}`,
    { hint },
  );
}
