/**
 * Opens listeners again that a worker has closed for all processes. shutdown(2) does that: some programs call it to get a thread out of accept(2). From
 * then on clients are refused, although every process still has the socket open.
 */
import type { MasterEvent } from '../../shared/events.ts';
import { addressFields } from '../../shared/format-address.ts';
import type { Platform } from '../process/platform.ts';
import { sockaddrOf } from './numeric-address.ts';
import type { BoundListener } from './listener.ts';

export interface ShutListeners {
  /** Checks whether a listener was closed, and opens it again. */
  look(): void;
  /** Checks after a moment, and repeatedly as long as `isNeeded` returns true. */
  watch(isNeeded: () => boolean): void;
}

/** The time between two checks. It is short for a client, which tries again only a second or more after it was refused. */
const lookAgainMs = 50;

export function createShutListeners(
  { isShut, listenAgain, arm }: Pick<Platform, 'isShut' | 'listenAgain' | 'arm'>,
  listeners: () => readonly BoundListener[],
  onEvent: (event: MasterEvent) => void,
): ShutListeners {
  /** Listeners that cannot be opened again are reported once. */
  const told = new Set<number>();
  let isWatching = false;

  function look(): void {
    const seen = new Set<number>();
    for (const { fd: first, slots, name, address, backlog } of listeners()) {
      // Versions of a plan may share sockets.
      const shut = [first, ...slots.otherFds()].filter((fd) => !seen.has(fd) && !told.has(fd) && isShut(fd));
      const open = shut.filter((fd) => {
        seen.add(fd);
        // A UNIX socket cannot be made to listen again (unix(7)).
        const problem =
          address.type === 'unix'
            ? 'it is a UNIX socket'
            : listenAgain(fd, sockaddrOf(address.host, address.port), backlog);
        if (problem !== null) told.add(fd);
        onEvent({ event: 'listenerShutDown', listener: name, ...addressFields(address), problem });
        return problem === null;
      });
      if (shut.length > 0) slots.listenAgain(shut, open);
    }
  }

  function watch(isNeeded: () => boolean): void {
    if (isWatching) return;
    isWatching = true;
    arm(lookAgainMs, () => {
      isWatching = false;
      look();
      if (isNeeded()) watch(isNeeded);
    });
  }

  return { look, watch };
}
