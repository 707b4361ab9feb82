/**
 * How a program comes to rest: it is stopped, or gives up because its first generation failed. Each function returns the program as it is
 * afterwards and adds what is to be done to `out`. Pure.
 */
import type { Failure } from '../../../shared/events.ts';
import { cancelRestarts } from './generations.ts';
import type { Effect, ProgramInput } from './inputs.ts';
import { announceFailed } from './program-moves.ts';
import {
  candidateGeneration,
  commonOf,
  servingGeneration,
  type Idle,
  type InPhase,
  type OnProbation,
  type Program,
  type Reloading,
  type Serving,
  type Starting,
  type Stopped,
} from './state.ts';
import { dismissGeneration, drainWorkers, killWorkers } from './worker-commands.ts';

export function giveUp(program: Starting, failure: Failure, at: number, out: Effect[]): Program {
  announceFailed(program.candidate, null, failure, at, out);
  const remaining = dismissGeneration(program, program.candidate, at, out);
  return endWith(remaining, null, failure, false, out);
}

/** It could not even begin to start. */
export function refuseStart(
  program: Idle | Stopped,
  { failure }: Extract<ProgramInput, { type: 'startRefused' }>,
  out: Effect[],
): Program {
  out.push(
    { type: 'announce', event: { event: 'startRefused', failure } },
    { type: 'announce', event: { event: 'stopped', failure } },
    { type: 'finish', failure },
  );
  return { ...commonOf(program), phase: 'stopped', failure };
}

export function stop(
  program: Starting | Serving | Reloading | OnProbation,
  { at, cause, keepsListeners = false }: Extract<ProgramInput, { type: 'stopRequested' }>,
  out: Effect[],
): Program {
  out.push({ type: 'announce', event: { event: 'stopRequested', cause, urgent: false } });
  const leaving = drainWorkers(program, program.workers, 'stop', at, out);
  return endWith(leaving, at, null, keepsListeners, out);
}

/** The second request to stop. (One that the first act has sent as well is none.) */
export function stopNow(
  program: InPhase<'stopping'>,
  { at, cause, isUrgent = false, keepsListeners = false }: Extract<ProgramInput, { type: 'stopRequested' }>,
  out: Effect[],
): Program {
  const { askedAt, settings } = program;
  // It drains to be started again: this is the first request to stop for good.
  if (program.keepsListeners) {
    if (keepsListeners) return program;
    out.push(
      { type: 'announce', event: { event: 'stopRequested', cause, urgent: false } },
      { type: 'closeListeners' },
    );
    return { ...program, keepsListeners: false, askedAt: at };
  }
  // Only signals come in pairs: a second request of another kind is meant.
  if (!isUrgent && cause === 'signal' && askedAt !== null && at - askedAt < settings.sameStopMs)
    return program;
  out.push({ type: 'announce', event: { event: 'stopRequested', cause, urgent: true } });
  return killWorkers(program, program.workers, 'stop', at, out);
}

function endWith(
  program: Starting | Serving | Reloading | OnProbation,
  askedAt: number | null,
  failure: Failure | null,
  keepsListeners: boolean,
  out: Effect[],
): Program {
  const current = servingGeneration(program);
  const candidate = candidateGeneration(program);
  for (const generation of [current, candidate]) if (generation !== null) cancelRestarts(generation, out);
  out.push(
    { type: 'disarmTimer', key: { timer: 'settle' } },
    { type: 'disarmTimer', key: { timer: 'probation' } },
  );
  if (!keepsListeners) out.push({ type: 'closeListeners' });
  return stopIfEmpty(
    { ...commonOf(program), phase: 'stopping', pendingSince: null, askedAt, failure, keepsListeners },
    out,
  );
}

export function stopIfEmpty(program: InPhase<'stopping'>, out: Effect[]): Program {
  if (program.workers.length > 0) return program;
  out.push(
    { type: 'lookForLeftovers' },
    { type: 'announce', event: { event: 'stopped', failure: program.failure } },
    { type: 'finish', failure: program.failure },
  );
  return { ...program, phase: 'stopped' };
}
