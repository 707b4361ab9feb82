/**
 * With reuse_port, connections may wait in the queue of a slot that was given up: its worker was crashed then, or it hung and did not accept.
 * Finds such queues, so that a worker can be started for them.
 */
import type { Platform } from '../process/platform.ts';
import { candidateGeneration, servingGeneration, type Program } from './lifecycle/state.ts';
import type { Versions } from './versions.ts';

/** How long a connection may take to get into the queue, if its first packet came before its slot was left out: a round trip to the client. */
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

/**
 * Looks for queues of slots that no worker has or will have, and calls `leftBehind` for them. It is called again for a slot only if its queue has become
 * shorter, or for another generation.
 */
export function watchLeftQueues(
  arm: Platform['arm'],
  versions: Pick<Versions, 'of'>,
  emptiesQueue: (worker: number) => boolean,
  leftBehind: (slot: number, connections: number) => void,
): LeftQueues {
  let latest: Program | null = null;
  let unattended: ReadonlySet<number> = new Set();
  let cancel = (): void => undefined;
  /** The queues that were reported, by slot. */
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
    const listeners =
      current === null ? [] : versions.of(current.number).listeners.filter(({ slots }) => slots.isOpen());
    if (current === null || listeners.length === 0) {
      cancel();
      unattended = new Set();
      return;
    }
    const attended = attendedSlots(program, emptiesQueue);
    const before = unattended;
    const count = 1 + Math.max(...listeners.map(({ slots }) => slots.otherFds().length));
    unattended = new Set(
      Array.from({ length: count }, (_, slot) => slot).filter((slot) => !attended.has(slot)),
    );
    if ([...unattended].some((slot) => !before.has(slot))) lookLater(handshakeMs);
    for (const slot of unattended) {
      const connections = listeners.reduce((sum, { slots }) => sum + slots.queued(slot), 0);
      const last = reported.get(slot);
      if (connections === 0) reported.delete(slot);
      else if (last?.generation !== current.number || connections < last.connections) {
        reported.set(slot, { generation: current.number, connections });
        leftBehind(slot, connections);
      }
    }
  }

  return { look, lookAgain };
}

/** The slots with a worker that accepts or will accept: it starts, empties its queue, or is to be started. */
function attendedSlots(program: Program, emptiesQueue: (worker: number) => boolean): ReadonlySet<number> {
  const generations = [servingGeneration(program), candidateGeneration(program)];
  const workers = program.workers.filter(
    ({ id, phase, isPaused }) => phase === 'starting' || (phase === 'ready' && !isPaused) || emptiesQueue(id),
  );
  return new Set([
    ...generations.flatMap((one) => one?.slots.map(({ index }) => index) ?? []),
    ...workers.map(({ slot }) => slot),
  ]);
}
