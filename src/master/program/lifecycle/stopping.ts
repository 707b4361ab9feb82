/**
 * How a program comes to rest: it is stopped, it is given up, or its workers have all ended by themselves. Each function returns the program as it is
 * afterwards and adds what is to be done to `out`. Pure.
 */
import type { Failure } from '../../../shared/events.ts';
import { backoffMs } from './backoff.ts';
import { announceFailed, cancelRestarts, isAtRest } from './generations.ts';
import type { Effect, ProgramInput } from './inputs.ts';
import { restOf } from './restart-policy.ts';
import {
  type Backoff,
  candidateGeneration,
  commonOf,
  servingGeneration,
  type InPhase,
  type OnProbation,
  type Program,
  type Reloading,
  type Resting,
  type Serving,
  type Starting,
} from './state.ts';
import { dismissGeneration, drainWorkers, killWorkers } from './worker-commands.ts';

/** Handles the failure of the first generation: another one is started after a while, or the program is given up. */
export function failStart(program: Starting, failure: Failure, at: number, out: Effect[]): Program {
  announceFailed(program.candidate, null, failure, at, out);
  const remaining = dismissGeneration(program, program.candidate, [], at, out);
  const { restart, backoff } = program.settings;
  // A reload that was requested in the meantime may be the repair: it does not wait, and earlier failures do not count.
  const isRepaired = program.pendingSince !== null && restart.startRetries > 0;
  const failures = isRepaired ? 0 : program.failures + 1;
  if (failures > restart.startRetries) return endWith(remaining, { failure }, out);
  const generation = program.candidate.number;
  const delayMs = backoffMs(failures, backoff, { generation, slot: 0 });
  const retries = restart.startRetries;
  if (!isRepaired)
    out.push({
      type: 'announce',
      event: { event: 'startRetryScheduled', generation, failures, retries, delayMs },
    });
  out.push({ type: 'armTimer', key: { timer: 'retry' }, delayMs });
  return {
    ...commonOf(remaining),
    phase: 'backoff',
    pendingSince: null,
    failures,
    retryAt: at + delayMs,
    failure,
  };
}

/** Lets the program come to rest, if every slot of the serving generation stays empty. */
export function restIfDone(program: Serving, at: number, out: Effect[]): Program {
  if (!isAtRest(program.current)) return program;
  const { failure, outcome } = restOf(program.current.slots, program.settings.restart);
  // A worker that only empties a queue has no slot, and still runs.
  const leaving = drainWorkers(program, program.workers, 'stop', at, out);
  return endWith(
    leaving,
    failure === null ? { outcome: outcome ?? { code: null, signal: null } } : { failure },
    out,
  );
}

/** Fails a start that could not begin. */
export function refuseStart(
  program: Resting,
  { failure }: Extract<ProgramInput, { type: 'startRefused' }>,
  out: Effect[],
): Program {
  out.push(
    { type: 'announce', event: { event: 'startRefused', failure } },
    { type: 'announce', event: { event: 'stopped', failure, outcome: null } },
    { type: 'finish' },
  );
  return { ...commonOf(program), phase: 'failed', failure };
}

/** Begins with a program that was stopped already when this master was started. */
export function keepStopped(program: InPhase<'idle'>, _input: unknown, out: Effect[]): Program {
  out.push({ type: 'announce', event: { event: 'keptStopped' } });
  return { ...commonOf(program), phase: 'stopped' };
}

/** Stops a program that rests already: from now on it rests because that is wanted. */
export function stopResting(
  program: Resting,
  { cause }: Extract<ProgramInput, { type: 'stopRequested' }>,
  out: Effect[],
): Program {
  out.push({ type: 'announce', event: { event: 'stopRequested', cause, urgent: false } });
  return stopIfEmpty(
    {
      ...commonOf(program),
      phase: 'stopping',
      askedAt: null,
      failure: null,
      outcome: null,
      keepsListeners: false,
    },
    out,
  );
}

export function stop(
  program: Starting | Backoff | Serving | Reloading | OnProbation,
  { at, cause, keepsListeners = false }: Extract<ProgramInput, { type: 'stopRequested' }>,
  out: Effect[],
): Program {
  out.push({ type: 'announce', event: { event: 'stopRequested', cause, urgent: false } });
  const leaving = drainWorkers(program, program.workers, 'stop', at, out);
  return endWith(leaving, { askedAt: at, keepsListeners }, out);
}

/** Handles the second request to stop. (A request that belongs to the same act as the first one does not count.) */
export function stopNow(
  program: InPhase<'stopping'>,
  { at, cause, isUrgent = false, keepsListeners = false }: Extract<ProgramInput, { type: 'stopRequested' }>,
  out: Effect[],
): Program {
  const { askedAt, settings } = program;
  // The program drains in order to be started again: this is the first request to stop it for good.
  if (program.keepsListeners) {
    if (keepsListeners) return program;
    out.push(
      { type: 'announce', event: { event: 'stopRequested', cause, urgent: false } },
      { type: 'closeListeners' },
    );
    return { ...program, keepsListeners: false, askedAt: at };
  }
  // The program comes to rest by itself, while workers of earlier generations still drain: this is the first request, too.
  if (askedAt === null && !isUrgent) {
    out.push({ type: 'announce', event: { event: 'stopRequested', cause, urgent: false } });
    return { ...program, askedAt: at, failure: null, outcome: null };
  }
  // Only signals come in pairs: a second request of another kind is intended.
  if (!isUrgent && cause === 'signal' && askedAt !== null && at - askedAt < settings.sameStopMs)
    return program;
  out.push({ type: 'announce', event: { event: 'stopRequested', cause, urgent: true } });
  return killWorkers(program, program.workers, 'stop', at, out);
}

function endWith(
  program: Starting | Backoff | Serving | Reloading | OnProbation,
  how: Partial<Pick<InPhase<'stopping'>, 'askedAt' | 'failure' | 'outcome' | 'keepsListeners'>>,
  out: Effect[],
): Program {
  const current = servingGeneration(program);
  const candidate = candidateGeneration(program);
  for (const generation of [current, candidate]) if (generation !== null) cancelRestarts(generation, out);
  for (const timer of ['debounce', 'probation', 'retry', 'rollout'] as const)
    out.push({ type: 'disarmTimer', key: { timer } });
  if (how.keepsListeners !== true) out.push({ type: 'closeListeners' });
  return stopIfEmpty(
    {
      ...commonOf(program),
      phase: 'stopping',
      pendingSince: null,
      askedAt: null,
      failure: null,
      outcome: null,
      keepsListeners: false,
      ...how,
    },
    out,
  );
}

export function stopIfEmpty(program: InPhase<'stopping'>, out: Effect[]): Program {
  const { workers, failure, outcome } = program;
  if (workers.length > 0) return program;
  out.push(
    { type: 'lookForLeftovers' },
    { type: 'announce', event: { event: 'stopped', failure, outcome } },
    { type: 'finish' },
  );
  if (failure !== null) return { ...commonOf(program), phase: 'failed', failure };
  if (outcome !== null) return { ...commonOf(program), phase: 'exited', outcome };
  return { ...commonOf(program), phase: 'stopped' };
}
