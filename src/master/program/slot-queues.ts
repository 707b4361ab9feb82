/**
 * With reuse_port, the workers of a program accept from queues of their own. This file directs new connections to the queues of workers that accept.
 * Before a worker stops accepting, it sees to it that its queue is empty, unless another worker accepts from it, too. And it has queues reported that were
 * left behind all the same (left-queues.ts).
 */
import type { Platform } from '../process/platform.ts';
import { handshakeMs, watchLeftQueues } from './left-queues.ts';
import type { Program } from './lifecycle/state.ts';
import { candidateGeneration, isAccepting } from './lifecycle/state.ts';
import type { RunningWorker } from './running-worker.ts';
import type { Version, Versions } from './versions.ts';
import { waitingIn, type WorkerQueues } from './worker-queues.ts';

export interface SlotQueues {
  /** Directs new connections. Has to be called after every change of the program, before anything is done about it. */
  direct(program: Program): void;
  /** Looks for queues that are left behind. Has to be called after everything about a change of the program has been done. */
  lookForLeft(program: Program): void;
  /** Calls `then` when another worker serves the queue or it is empty, at the latest after `longestMs`. An earlier call for the same worker is forgotten. */
  whenServed(worker: RunningWorker, longestMs: number, then: () => void): void;
  /** Forgets a call of whenServed() for the worker. Returns whether there was one. */
  forget(worker: RunningWorker): boolean;
  /** Calls everything that waits at once. */
  hurry(): void;
  isWaiting(): boolean;
}

const lookAgainMs = 20;

export function createSlotQueues(
  { arm, clock }: Pick<Platform, 'arm' | 'clock'>,
  versions: Pick<Versions, 'all' | 'of'>,
  queues: WorkerQueues,
  /**
   * Called if connections wait in a queue that no worker has. Called again for the queue only if a worker that was started for it has made it
   * shorter.
   */
  leftBehind: (queue: number, connections: number) => void,
): SlotQueues {
  /** By worker: how to end the waiting, and what to do after it. */
  const waiting = new Map<number, { readonly cancel: () => void; readonly then: () => void }>();
  /** Whether every worker is ending: then the workers themselves empty the queues. */
  let isStopping = false;
  const left = watchLeftQueues(arm, versions, queues, (id) => waiting.has(id), leftBehind);

  function forget({ id }: RunningWorker): boolean {
    waiting.get(id)?.cancel();
    return waiting.delete(id);
  }

  function isServed({ generation, queue }: RunningWorker): boolean {
    return isStopping || versions.of(generation).listeners.every(({ slots }) => slots.isDirectedTo(queue));
  }

  function isEmpty({ generation, queue }: RunningWorker): boolean {
    return waitingIn(versions.of(generation).listeners, queue) === 0;
  }

  return {
    direct(program) {
      isStopping = program.phase === 'stopping';
      const all = versions.all();
      if (!all.some(({ listeners }) => listeners.some(({ slots }) => slots.isOpen()))) return;
      const directions = directionsOf(program, all, versions.of, queues);
      if (directions === null) return;
      const isServed = program.workers.some(isAccepting);
      for (const [version, open] of directions)
        for (const { slots } of version.listeners) slots.direct(open, isServed);
    },
    lookForLeft: left.look,
    whenServed(worker, longestMs, then) {
      forget(worker);
      const { id } = worker;
      const since = clock.monotonicMs();
      const leastMs = Math.min(handshakeMs, longestMs);
      const look = (): void => {
        const pastMs = clock.monotonicMs() - since;
        if (isServed(worker) || pastMs >= longestMs || (pastMs >= leastMs && isEmpty(worker))) {
          waiting.delete(id);
          then();
          left.lookAgain();
        } else waiting.set(id, { cancel: arm(lookAgainMs, look), then });
      };
      look();
    },
    forget,
    isWaiting: () => waiting.size > 0,
    hurry() {
      for (const { cancel, then } of waiting.values()) {
        cancel();
        then();
      }
      waiting.clear();
    },
  };
}

/**
 * The queues of each version that are to get connections; null to change nothing. While no worker accepts, clients wait where the first generation will
 * serve, or in queue 0, which every listener has.
 */
function directionsOf(
  program: Program,
  versions: readonly Version[],
  versionOf: (generation: number) => Version,
  queues: WorkerQueues,
): ReadonlyMap<Version, ReadonlySet<number>> | null {
  const workers = program.workers.filter(isAccepting);
  const queuesOf = (version: Version): ReadonlySet<number> =>
    new Set(
      workers.flatMap(({ id, generation }) =>
        versionOf(generation) === version ? (queues.of(id) ?? []) : [],
      ),
    );
  if (workers.length > 0) return new Map(versions.map((version) => [version, queuesOf(version)]));
  if (program.phase === 'serving' || program.phase === 'reloading' || program.phase === 'probation')
    return null;
  const candidate = candidateGeneration(program);
  const [first] = versions;
  const version = candidate === null ? first : versionOf(candidate.number);
  if (version === undefined) return null;
  const open = candidate?.slots.map(({ index, workerId }) =>
    workerId === null ? index : (queues.of(workerId) ?? index),
  );
  return new Map([[version, new Set(open ?? [0])]]);
}
