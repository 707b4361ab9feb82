/**
 * With reuse_port, connections may wait in a queue that was given up: its worker was crashed then, or it hung and did not accept. Or a handshake was still
 * under way. Finds such queues, so that a worker can be started for them.
 */
import type { Platform } from '../process/platform.ts';
import { candidateGeneration, servingGeneration, type Program, type Slot } from './lifecycle/state.ts';
import type { Versions } from './versions.ts';
import { freeQueues, isServedElsewhere, waitingIn, type WorkerQueues } from './worker-queues.ts';

/** How long a connection may take to get into the queue, if its first packet came before its queue was left out: a round trip to the client. */
export const handshakeMs = 1_000;

/**
 * The longest pause between two looks. A connection may take longer than a round trip: a lost packet is sent again after 1, 3, 7 … s, and with
 * defer_accept a connection is in the queue only once the client has sent something. So the pauses double, as the kernel's do, up to this one.
 */
const longestPauseMs = 64_000;

export interface LeftQueues {
  readonly look: (program: Program) => void;
  /** As look(), at the program that look() was last given. */
  lookAgain(): void;
}

/** Looks for queues that no worker has or will have, and calls `leftBehind` for them: again only if the queue has become shorter, or for another generation. */
export function watchLeftQueues(
  arm: Platform['arm'],
  versions: Pick<Versions, 'of'>,
  ofWorkers: WorkerQueues,
  emptiesQueue: (worker: number) => boolean,
  leftBehind: (queue: number, connections: number) => void,
): LeftQueues {
  let latest: Program | null = null;
  let unattended: ReadonlySet<number> = new Set();
  let cancel = (): void => undefined;
  /** The queues that were reported. */
  const reported = new Map<number, { readonly generation: number; readonly connections: number }>();

  function lookAgain(): void {
    if (latest !== null) look(latest);
  }

  function lookLater(pauseMs: number): void {
    cancel();
    cancel = arm(pauseMs, () => {
      if (pauseMs < longestPauseMs) lookLater(2 * pauseMs);
      lookAgain();
    });
  }

  function look(program: Program): void {
    latest = program;
    const current = servingGeneration(program);
    const all = current === null ? [] : versions.of(current.number).listeners;
    // Workers that share a socket may have replaced others with one each.
    const listeners = all.filter(({ slots }) => slots.isOpen() || slots.otherFds().length > 0);
    if (current === null || listeners.length === 0) {
      cancel();
      unattended = new Set();
      return;
    }
    const areShared = !listeners.some(({ slots }) => slots.isOpen());
    const { queues, awaited } = attendedQueues(program, ofWorkers, areShared, emptiesQueue);
    const before = unattended;
    unattended = new Set(freeQueues(listeners, queues).slice(awaited));
    const isNew = [...unattended].some((queue) => !before.has(queue));
    // Nothing tells when another program lets its queues go.
    if (isNew || isServedElsewhere(listeners)) lookLater(handshakeMs);
    for (const queue of unattended) {
      const connections = waitingIn(listeners, queue);
      const last = reported.get(queue);
      if (connections === 0) reported.delete(queue);
      else if (last?.generation !== current.number || connections < last.connections) {
        reported.set(queue, { generation: current.number, connections });
        leftBehind(queue, connections);
      }
    }
  }

  return { look, lookAgain };
}

/**
 * The queues from which a worker accepts or will accept: it starts, has a slot, or empties its queue. `awaited`: how many workers are about to be started
 * that will have the first of the free queues, and not those of their slots. `areShared`: the workers of the serving generation share queue 0.
 */
function attendedQueues(
  program: Program,
  ofWorkers: WorkerQueues,
  areShared: boolean,
  emptiesQueue: (worker: number) => boolean,
): { readonly queues: ReadonlySet<number>; readonly awaited: number } {
  const slots = [servingGeneration(program), candidateGeneration(program)].flatMap((one) => one?.slots ?? []);
  const workers = program.workers.filter(
    ({ id, phase, isPaused }) => phase === 'starting' || (phase === 'ready' && !isPaused) || emptiesQueue(id),
  );
  const ids = [...workers.map(({ id }) => id), ...slots.flatMap(({ workerId }) => workerId ?? [])];
  const own = ids.flatMap((id) => ofWorkers.of(id) ?? []);
  /** Whether the slot will have a worker. */
  const isVacant = ({ workerId, rest }: Slot): boolean =>
    rest === null && (workerId === null || ofWorkers.of(workerId) === null);
  if (!ofWorkers.areOwn()) {
    const awaited = slots.filter(isVacant).map(({ index }) => (areShared ? 0 : index));
    return { queues: new Set([...own, ...awaited]), awaited: 0 };
  }
  // The workers of a candidate generation get queues in which no connection waits.
  const serving = servingGeneration(program)?.slots ?? [];
  const awaited = serving.filter(isVacant).length;
  return { queues: new Set(own), awaited };
}
