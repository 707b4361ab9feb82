/**
 * With reuse_port, each slot of a program has an accept queue of its own. This file directs new connections to the slots whose workers accept. Before a
 * worker stops accepting, it sees to it that the queue of its slot is empty, unless another worker accepts from it, too. And it has queues reported that
 * were left behind all the same (left-queues.ts).
 */
import type { Platform } from '../process/platform.ts';
import { handshakeMs, watchLeftQueues } from './left-queues.ts';
import type { Program } from './lifecycle/state.ts';
import { candidateGeneration, isAccepting } from './lifecycle/state.ts';
import type { RunningWorker } from './running-worker.ts';
import type { Version, Versions } from './versions.ts';

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
}

const lookAgainMs = 20;

export function createSlotQueues(
  { arm, clock }: Pick<Platform, 'arm' | 'clock'>,
  versions: Pick<Versions, 'all' | 'of'>,
  /**
   * Called if connections wait in the queue of a slot that no worker has. Called again for the slot only if a worker that was started for the queue has
   * made it shorter.
   */
  leftBehind: (slot: number, connections: number) => void,
): SlotQueues {
  /** By worker: how to end the waiting, and what to do after it. */
  const waiting = new Map<number, { readonly cancel: () => void; readonly then: () => void }>();
  /** Whether every worker is ending: then the workers themselves empty the queues. */
  let isStopping = false;
  const left = watchLeftQueues(arm, versions, (id) => waiting.has(id), leftBehind);

  function forget({ id }: RunningWorker): boolean {
    waiting.get(id)?.cancel();
    return waiting.delete(id);
  }

  function isServed({ generation, slot }: RunningWorker): boolean {
    return isStopping || versions.of(generation).listeners.every(({ slots }) => slots.isDirectedTo(slot));
  }

  function isEmpty({ generation, slot }: RunningWorker): boolean {
    return versions.of(generation).listeners.every(({ slots }) => slots.queued(slot) === 0);
  }

  return {
    direct(program) {
      isStopping = program.phase === 'stopping';
      const all = versions.all();
      if (!all.some(({ listeners }) => listeners.some(({ slots }) => slots.isOpen()))) return;
      const directions = directionsOf(program, all, versions.of);
      if (directions === null) return;
      for (const [version, slots] of directions)
        for (const listener of version.listeners) listener.slots.direct(slots);
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
 * The slots of each version that are to get connections; null to change nothing. While no worker accepts, clients wait where the first generation will
 * serve, or in the queue of slot 0, which every generation has.
 */
function directionsOf(
  program: Program,
  versions: readonly Version[],
  versionOf: (generation: number) => Version,
): ReadonlyMap<Version, ReadonlySet<number>> | null {
  const workers = program.workers.filter(isAccepting);
  const slotsOf = (version: Version): ReadonlySet<number> =>
    new Set(workers.flatMap(({ generation, slot }) => (versionOf(generation) === version ? [slot] : [])));
  if (workers.length > 0) return new Map(versions.map((version) => [version, slotsOf(version)]));
  if (program.phase === 'serving' || program.phase === 'reloading' || program.phase === 'probation')
    return null;
  const candidate = candidateGeneration(program);
  const [first] = versions;
  const version = candidate === null ? first : versionOf(candidate.number);
  if (version === undefined) return null;
  const slots = candidate?.slots.map(({ index }) => index) ?? [0];
  return new Map([[version, new Set(slots)]]);
}
