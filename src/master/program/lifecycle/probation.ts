/**
 * What happens between the moment in which a new generation serves and the one in which the previous generation has to go. A program may listen first and
 * fail a moment later. So the old workers are only paused at first: they keep the connections that they have and accept no new ones. If a new worker
 * crashes in that time, or the new ones fail too many requests, they accept again at once.
 */
import type { Failure } from '../../../shared/events.ts';
import type { Effect } from './inputs.ts';
import { emptySlots, hasSlot, holds, serve } from './generations.ts';
import { goBack, remainingSlots } from './going-back.ts';
import { killWorkers, drainWorkers, pauseWorkers, workersById } from './worker-commands.ts';
import {
  commonOf,
  isLeaving,
  servingGeneration,
  type OnProbation,
  type Program,
  type Reloading,
  type Serving,
  type Worker,
} from './state.ts';
import type { KillReason } from './worker-step.ts';

/** Whether the previous generation has a worker that can take over again. */
export function canProve({ settings, pendingSince, current, workers }: Reloading): boolean {
  return (
    settings.probationMs > 0 &&
    // If another reload waits, it would end the probation as soon as that begins.
    pendingSince === null &&
    workers.some(
      (worker) => worker.phase === 'ready' && worker.capabilities.isGated && holds(current, worker),
    )
  );
}

/** Begins the probation: the candidate serves, and the previous generation waits. */
export function beginProbation(program: Reloading, at: number, out: Effect[]): OnProbation {
  const { current: previous, candidate, settings } = program;
  const paused = pauseWorkers(
    program,
    program.workers.filter((worker) => holds(previous, worker)),
    at,
    out,
  );
  out.push({ type: 'armTimer', key: { timer: 'probation' }, delayMs: settings.probationMs });
  const kept = paused.workers.filter(({ isPaused }) => isPaused).map(({ id }) => id);
  return {
    ...commonOf(paused),
    phase: 'probation',
    current: candidate,
    previous: { ...previous, slots: emptySlots(previous, (id) => !kept.includes(id)) },
    since: at,
    until: at + settings.probationMs,
  };
}

/**
 * Ends the probation, because the serving generation has proved itself, or something else is wanted. The previous one loses its slots, and
 * drainEarlierGenerations() drains it.
 */
export function settle(program: OnProbation, at: number, out: Effect[]): Serving {
  const { current, since, until } = program;
  out.push(
    { type: 'disarmTimer', key: { timer: 'probation' } },
    {
      type: 'announce',
      event: {
        event: 'generationSettled',
        generation: current.number,
        durationMs: at - since,
        isEarly: at < until,
      },
    },
  );
  return serve(program, current);
}

/**
 * Drains workers of earlier generations that have no slot. Has to be called after every step.
 *
 * A reload that is requested during a probation starts its workers first, and these drain once one of the new workers serves, or none will: connections
 * that move while new workers boot would have to share the processors with them, and their requests would be slow. With a max_surge below 100%, they drain
 * at once, because the new workers need their room.
 */
export function drainEarlierGenerations<P extends Program>(program: P, at: number, out: Effect[]): P {
  const current = servingGeneration(program);
  if (current === null) return program;
  const waits = waitsForCandidate(program);
  const over = program.workers.filter(
    (worker) =>
      !isLeaving(worker) &&
      worker.generation < current.number &&
      !hasSlot(program, worker) &&
      !(worker.isPaused && waits),
  );
  return over.length === 0 ? program : drainWorkers(program, over, 'reload', at, out);
}

function waitsForCandidate(program: Program): boolean {
  return (
    program.phase === 'reloading' &&
    program.rollout.servesSince === null &&
    program.settings.rollout.maxSurge === null
  );
}

/** Goes back: the serving generation has turned out to be bad, so the previous one accepts again. */
export function rollBackServing(program: OnProbation, failure: Failure, at: number, out: Effect[]): Serving {
  const { current, since } = program;
  const previous = {
    ...program.previous,
    slots: program.previous.slots.filter(({ workerId }) => workerId !== null),
  };
  // Announced before the old workers accept again: until then, a request that waits for the reload could take it for one that went well.
  out.push(
    { type: 'disarmTimer', key: { timer: 'probation' } },
    {
      type: 'announce',
      event: {
        event: 'generationRolledBack',
        generation: current.number,
        to: previous.number,
        durationMs: at - since,
        remaining: remainingSlots(program, previous, current).length,
        failure,
      },
    },
  );
  return goBack(program, previous, current, at, out);
}

/** Notes that a worker of the previous generation is gone. Without the last one, nothing is left that could take over again. */
export function losePrevious(
  program: OnProbation,
  worker: Worker,
  at: number,
  out: Effect[],
): OnProbation | Serving {
  const previous = { ...program.previous, slots: emptySlots(program.previous, (id) => id === worker.id) };
  const next = { ...program, previous };
  return previous.slots.some(({ workerId }) => workerId !== null) ? next : settle(next, at, out);
}

/** Kills a worker of the previous generation that cannot take over any more: its program ended, or is another process that was never admitted. */
export function giveUpPrevious(
  program: OnProbation,
  worker: Worker,
  reason: KillReason,
  at: number,
  out: Effect[],
): OnProbation | Serving {
  const killed = killWorkers(program, workersById(program, worker.id), reason, at, out);
  return losePrevious(killed, worker, at, out);
}
