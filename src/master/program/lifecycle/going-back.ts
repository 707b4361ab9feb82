/** The way back from a new generation to the previous one, of which some workers may be gone. Pure. */
import { cancelRestarts, fitSlots, serve } from './generations.ts';
import type { Effect } from './inputs.ts';
import {
  isAccepting,
  type Generation,
  type OnProbation,
  type Reloading,
  type Serving,
  type Slot,
} from './state.ts';
import { dismissGeneration, resumeWorkers, workersOf } from './worker-commands.ts';

/**
 * The slots of `bad` whose workers keep serving, because the old workers in these slots are gone. Without them fewer workers would serve, and new workers
 * would run the release that is on disk.
 */
export function remainingSlots(
  { workers, workersWanted }: Reloading | OnProbation,
  good: Generation,
  bad: Generation,
): readonly Slot[] {
  const free = Math.max(0, workersWanted - good.slots.length);
  return bad.slots
    .filter(
      ({ index, workerId }) =>
        workers.some((worker) => worker.id === workerId && isAccepting(worker)) &&
        !good.slots.some((slot) => slot.index === index),
    )
    .slice(0, free);
}

/** Lets `good` serve again. Its paused workers accept first, then the workers of `bad` drain, except for those that remain. Slots without a worker get one. */
export function goBack(
  program: Reloading | OnProbation,
  good: Generation,
  bad: Generation,
  at: number,
  out: Effect[],
): Serving {
  const remaining = remainingSlots(program, good, bad);
  const paused = workersOf(program, good).filter(({ isPaused }) => isPaused);
  const resumed = resumeWorkers(program, paused, at, out);
  if (program.phase === 'probation') cancelRestarts(bad, out);
  const kept = remaining.map(({ workerId }) => workerId);
  const dismissed = dismissGeneration(resumed, bad, kept, at, out);
  const fitted = fitSlots(dismissed, { ...good, slots: [...good.slots, ...remaining] }, at, out);
  return serve(fitted.program, fitted.generation);
}
