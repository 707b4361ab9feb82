/**
 * Whether accept(2) waits for a connection. Programs that know nothing of polling expect that. Node.js, and programs that have the listener in an epoll, have
 * to get an answer at once: of two processes that are woken for the same connection, one would wait in accept(2), and serve none of its clients meanwhile. The
 * kernel has one setting for the socket (O_NONBLOCK), and not one for each process. So it changes only when no worker needs the other one.
 */
import type { ListenerUse } from '../process/listener-use.ts';
import type { Platform } from '../process/platform.ts';
import type { BoundListener } from '../sockets/listener.ts';
import { isNodeWorker, type RunningWorker } from './running-worker.ts';

type Inherited = readonly Pick<BoundListener, 'fd' | 'address'>[];

export interface AcceptWait {
  /** Has to be called before a worker that inherits these listeners starts. */
  beforeStart(listeners: Inherited): void;
  /** Has to be called when the worker runs. */
  started(worker: RunningWorker, listeners: Inherited): void;
  /** Has to be called when a worker is ready, before connections are directed to it. */
  ready(worker: RunningWorker): void;
  /** Has to be called when all workers of the previous image of this process were taken over. */
  resumed(): void;
  /** Has to be called when a worker has ended. */
  ended(worker: RunningWorker): void;
}

/** A listener for the time that this process has it open: then its descriptor may become that of another file. */
interface Socket {
  readonly fd: number;
  readonly inode: number;
  readonly isUdp: boolean;
}

export function createAcceptWait(
  platform: Pick<Platform, 'makeBlocking' | 'makeNonBlocking' | 'listenerUse' | 'inodeOf'>,
): AcceptWait {
  const held = new Map<RunningWorker, readonly Socket[]>();
  /** The workers that have been seen with the listener in an epoll. */
  const polling = new Set<RunningWorker>();
  /** The inodes of the listeners on which accept(2) may return at once although a worker that runs, or a later one, needs it to wait. */
  const owed = new Set<number>();

  function socketsOf(listeners: Inherited): readonly Socket[] {
    return listeners.map(({ fd, address }) => ({
      fd,
      inode: platform.inodeOf(fd) ?? -1,
      isUdp: address.type === 'udp',
    }));
  }

  function holdersOf({ inode }: Socket): readonly RunningWorker[] {
    return [...held]
      .filter(([, sockets]) => sockets.some((one) => one.inode === inode))
      .map(([worker]) => worker);
  }

  function useOf(worker: RunningWorker, { inode }: Socket): ListenerUse {
    const use = polling.has(worker) ? 'epoll' : platform.listenerUse(worker.process.pid, inode);
    if (use === 'epoll') polling.add(worker);
    return use;
  }

  /** Examines how the workers with this listener wait for connections, and changes it if all of them need the same. */
  function settle(socket: Socket): void {
    const { fd, inode, isUdp } = socket;
    const holders = holdersOf(socket);
    if (holders.length === 0 || !holders.every(showsItsUse) || platform.inodeOf(fd) !== inode) return;
    const uses = new Set(holders.map((one) => useOf(one, socket)));
    const [use = null] = uses.size === 1 ? uses : [];
    // On a UDP socket, sending must not fail because it would have to wait.
    if (use === 'epoll' && !isUdp) {
      platform.makeNonBlocking(fd);
      owed.add(inode);
    } else if (use !== null) {
      // A program that polls may have set O_NONBLOCK itself, so nothing changes for it.
      if (use === 'other' && owed.has(inode)) platform.makeBlocking(fd);
      owed.delete(inode);
    }
  }

  function ready(worker: RunningWorker): void {
    if (!isNodeWorker(worker)) for (const socket of held.get(worker) ?? []) settle(socket);
  }

  return {
    beforeStart(listeners) {
      for (const socket of socketsOf(listeners)) {
        // A worker that holds the listener may have set O_NONBLOCK itself. Without it, that worker would wait in accept(2) forever.
        if (holdersOf(socket).length > 0) continue;
        platform.makeBlocking(socket.fd);
        owed.delete(socket.inode);
      }
    },
    started(worker, listeners) {
      held.set(worker, socketsOf(listeners));
    },
    ready,
    resumed() {
      for (const worker of held.keys()) ready(worker);
    },
    ended(worker) {
      const sockets = held.get(worker) ?? [];
      held.delete(worker);
      polling.delete(worker);
      for (const socket of sockets) {
        if (isNodeWorker(worker)) owed.add(socket.inode);
        settle(socket);
      }
    },
  };
}

/** Whether /proc shows how the worker waits for connections. A worker that drains may no longer wait for any, so what it shows does not count. */
function showsItsUse(worker: RunningWorker): boolean {
  return !isNodeWorker(worker) && worker.wasReady && !worker.isToldToEnd;
}
