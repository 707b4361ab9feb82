/**
 * Whether accept(2) waits for a connection. Programs that know nothing of polling expect that. Node.js, and programs that have the listener in an epoll, have
 * to get an answer at once: of two processes that are woken for the same connection, one would wait in accept(2), and serve none of its clients meanwhile. The
 * kernel has one setting for the socket (O_NONBLOCK), and not one for each process. So it changes only when no worker needs the other one.
 */
import type { ListenerUse } from '../process/find-pollers.ts';
import type { Platform } from '../process/platform.ts';
import type { BoundListener } from '../sockets/listener.ts';
import { isNodeWorker, type RunningWorker } from './running-worker.ts';
import type { Versions } from './versions.ts';

export interface AcceptWait {
  /** Has to be called before a worker that inherits these listeners starts. */
  beforeStart(listeners: readonly Pick<BoundListener, 'fd'>[]): void;
  /** Has to be called when a worker is ready, before connections are directed to it. */
  ready(worker: RunningWorker): void;
  /** Has to be called when all workers of the previous image of this process were taken over. */
  resumed(): void;
  /** Has to be called when a worker has ended, and is not among the running ones any more. */
  ended(worker: RunningWorker): void;
}

export function createAcceptWait(
  platform: Pick<Platform, 'makeBlocking' | 'makeNonBlocking' | 'listenerUse'>,
  versions: Pick<Versions, 'listenersOf'>,
  running: () => readonly RunningWorker[],
): AcceptWait {
  /** The listeners on which accept(2) may return at once although a worker that runs, or a later one, needs it to wait. */
  const owed = new Set<number>();

  function holdersOf(fd: number): readonly RunningWorker[] {
    return running().filter((one) => versions.listenersOf(one).some((listener) => listener.fd === fd));
  }

  /** Examines how the workers with this listener wait for connections, and changes it if all of them need the same. */
  function settle(fd: number): void {
    const holders = holdersOf(fd);
    if (holders.length === 0) return;
    const uses = holders.every(showsItsUse)
      ? new Set(holders.map(({ process }) => platform.listenerUse(process.pid, fd)))
      : new Set<ListenerUse>();
    const [use = null] = uses.size === 1 ? uses : [];
    if (use === 'epoll') {
      platform.makeNonBlocking(fd);
      owed.add(fd);
    } else if (use !== null) {
      // Those that poll keep what they have, because they may have set it themselves.
      if (use === 'other' && owed.has(fd)) platform.makeBlocking(fd);
      owed.delete(fd);
    }
  }

  function ready(worker: RunningWorker): void {
    if (!isNodeWorker(worker)) for (const { fd } of versions.listenersOf(worker)) settle(fd);
  }

  return {
    beforeStart(listeners) {
      for (const { fd } of listeners) {
        // One that runs may be a program that has set it to non-blocking for itself, and would wait in accept(2) forever.
        if (holdersOf(fd).length > 0) continue;
        platform.makeBlocking(fd);
        owed.delete(fd);
      }
    },
    ready,
    resumed() {
      for (const worker of running()) ready(worker);
    },
    ended(worker) {
      for (const { fd } of versions.listenersOf(worker)) {
        if (isNodeWorker(worker)) owed.add(fd);
        settle(fd);
      }
    },
  };
}

/** Whether /proc shows how the worker waits for connections. One that drains may have stopped accepting, or be about to take the last connections. */
function showsItsUse(worker: RunningWorker): boolean {
  return !isNodeWorker(worker) && worker.wasReady && !worker.isToldToEnd;
}
