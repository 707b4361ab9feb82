/**
 * The listening sockets of one address, of which each slot of a program has its own (SO_REUSEPORT). The master holds all of them as long as it holds the
 * address, because a socket that is closed loses its queue. So a slot that is gone keeps its socket, which gets no new connections until the slot exists
 * again.
 */
import { closeSync } from 'node:fs';
import { GracefulRunError } from '../../shared/errors.ts';
import { formatSocketAddress, type SocketAddress } from '../../shared/format-address.ts';
import { shortageHint } from '../../shared/shortage.ts';
import { attachSelection, listenAlongside, queueLength } from '../system-calls/reuse-port-calls.ts';
import { shutListener } from '../system-calls/syscalls.ts';
import { handleOver, type ServerHandle } from './server-handle.ts';
import { selectOneOf } from './select-program.ts';

export interface SlotSocket {
  readonly fd: number;
  readonly handle: ServerHandle;
}

export interface SlotSockets {
  /** The socket of a slot. It is opened if necessary, after those of all slots before. Errors: `addressUnusable`. */
  of(slot: number): SlotSocket;
  /** Directs new connections to the sockets of these slots alone. Empty: nothing changes. */
  direct(slots: ReadonlySet<number>): void;
  isDirectedTo(slot: number): boolean;
  /** How many connections wait in the queue of this slot. */
  queued(slot: number): number;
  /** All sockets except the first one, which belongs to the listener. */
  others(): readonly SlotSocket[];
  /** Closes the others. */
  close(): void;
  /** Ends the listening of the others for every process. */
  shut(): void;
}

/**
 * Makes the sockets. `first`: the socket of slot 0, which listens already. Only after `loadReusePortCalls`. If the kernel has no such sockets, of()
 * reports it.
 */
export function createSlotSockets(first: SlotSocket, address: SocketAddress, backlog: number): SlotSockets {
  /** The sockets by their slot, which is also their index in the kernel's group: none of them is closed before all are. */
  const sockets: SlotSocket[] = [first];
  let directed: readonly number[] = [0];

  function open(): void {
    const fd = listenAlongside(first.fd, backlog);
    if (typeof fd === 'string') throw cannotOpen(address, fd);
    const handle = handleOver(fd);
    if (typeof handle === 'string') {
      closeSync(fd);
      throw cannotOpen(address, handle);
    }
    // Directed at once, because the slot of the new socket has no worker yet that accepts. The group keeps the setting for sockets that join later.
    const problem = sockets.length > 1 ? null : attachSelection(first.fd, selectOneOf(directed));
    if (problem !== null) {
      handle.close();
      throw cannotOpen(address, problem);
    }
    sockets.push({ fd, handle });
  }

  return {
    of(slot) {
      while (sockets.length <= slot) open();
      return sockets[slot] ?? first;
    },
    direct(slots) {
      const wanted = [...slots].filter((slot) => slot < sockets.length).sort((one, other) => one - other);
      if (wanted.length === 0 || wanted.join() === directed.join()) return;
      // With only one socket, there is nothing to choose.
      if (sockets.length > 1 && attachSelection(first.fd, selectOneOf(wanted)) !== null) return;
      directed = wanted;
    },
    isDirectedTo: (slot) => directed.includes(slot),
    queued: (slot) => queueLength(sockets[slot]?.fd ?? -1),
    others: () => sockets.slice(1),
    close() {
      for (const { handle } of sockets.splice(1)) handle.close();
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
