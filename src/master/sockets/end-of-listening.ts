/**
 * How a master that stops for good lets go of its listeners. A process that has inherited one, such as a daemon that the start script has
 * put into the background, would keep the port open, and clients would wait there for an answer that never comes. If there is such a process,
 * shutdown(2) closes the socket for all, but only when no worker accepts any more: what has queued is served before, and listen(2)
 * in a worker would open the socket again.
 */
import type { MasterEvent } from '../../shared/events.ts';
import { addressFields } from '../../shared/format-address.ts';
import { type ProcessStat, readAllProcesses, readProcessStat, stillRuns } from '../../shared/process-stat.ts';
import { inodeOf } from '../system-calls/descriptor-calls.ts';
import { holdsSocket, socketsOf } from './address-holder.ts';
import type { BoundListener } from './listener.ts';
import { oncePerTurn } from './once-per-turn.ts';

export interface EndOfListening {
  /** Called when the worker with this pid has closed its copies of the listeners. */
  acceptsNoMore(worker: number): void;
  /** Called when the worker accepts again, or has ended. */
  accepts(worker: number): void;
  /** Called when the stop begins. `serving`: the processes that accept. */
  begin(serving: readonly number[]): void;
  /** Closes the listeners if no worker accepts any more. `workers`: the workers that have not ended. */
  look(workers: readonly number[]): void;
  /** Called when all workers have ended: reports which processes still hold a listener. `workers`: every worker since begin(). */
  finish(): MasterEvent | null;
}

export function createEndOfListening(current: () => readonly BoundListener[]): EndOfListening {
  const silent = new Set<number>();
  const workersSeen = new Set<number>();
  let listeners: readonly BoundListener[] = [];
  let others: readonly ProcessStat[] = [];
  let isHeld = false;
  /** The inodes of the sockets that were closed for all processes. After a change of the plan, another program may continue to use the others. */
  let shutInodes: readonly number[] = [];

  function shut(): void {
    isHeld = false;
    shutInodes = listeners.flatMap((listener) => {
      const inodes = inodesOf(listener);
      return listener.shut() ? inodes : [];
    });
  }

  return {
    acceptsNoMore(worker) {
      silent.add(worker);
    },
    accepts(worker) {
      silent.delete(worker);
    },
    begin(serving) {
      listeners = current();
      others = holdersBeside(listeners.flatMap(inodesOf), serving);
      isHeld = others.length > 0;
      if (!isHeld) for (const listener of listeners) listener.close();
    },
    look(workers) {
      if (!isHeld) return;
      for (const pid of workers) workersSeen.add(pid);
      if (workers.every((pid) => silent.has(pid))) shut();
    },
    finish() {
      if (isHeld) shut();
      const left = others.filter(
        ({ pid, startedAt, session }) =>
          !workersSeen.has(session) && isStillThere(pid, startedAt, shutInodes),
      );
      const [first] = listeners;
      if (left.length === 0 || first === undefined) return null;
      const { port, path } = addressFields(first.address);
      return { event: 'listenerLeftBehind', port, path, pids: left.map(({ pid }) => pid) };
    },
  };
}

function isStillThere(pid: number, startedAt: number, inodes: readonly number[]): boolean {
  return stillRuns({ pid, startedAt }) && holdsSocket(pid, inodes);
}

function holdersBeside(inodes: readonly number[], serving: readonly number[]): readonly ProcessStat[] {
  if (inodes.length === 0) return [];
  return youngerProcesses()
    .filter(
      ({ stat, sockets }) =>
        !serving.includes(stat.pid) && inodes.some((inode) => sockets.has(String(inode))),
    )
    .map(({ stat }) => stat);
}

/**
 * The processes that can have inherited a socket, each with the sockets that it holds. A process that is older than the master has inherited nothing from
 * it. Every program of a master asks for them when it stops, and the answer takes longer the more programs there are.
 */
const youngerProcesses = oncePerTurn(() => {
  const self = readProcessStat('self');
  if (self === null) return [];
  return readAllProcesses()
    .filter(({ pid, startedAt }) => pid !== self.pid && startedAt >= self.startedAt)
    .map((stat) => ({ stat, sockets: new Set(socketsOf(stat.pid)) }));
});

function inodesOf({ fd, slots }: BoundListener): readonly number[] {
  return [fd, ...slots.otherFds()].flatMap((one) => inodeOf(one) ?? []);
}
