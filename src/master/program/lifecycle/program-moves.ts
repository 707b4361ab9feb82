/**
 * Moves of a program that more than one cell of its table makes: start, begin a reload, promote or roll back a candidate, replace a worker. Each returns
 * the program as it is afterwards and adds the effects to `out`.
 */
import type { Cause, Failure } from '../../../shared/events.ts';
import type { CountChange, Effect, ProgramInput, WorkerEnd } from './inputs.ts';
import {
  announceFailed,
  beginGeneration,
  cancelRestarts,
  changeSlots,
  emptySlot,
  fillSlots,
  hasSlot,
  holds,
  isAdmitted,
  isComplete,
  leaveEmpty,
  serve,
  refill,
  scheduleRestart,
} from './generations.ts';
import { goBack, remainingSlots } from './going-back.ts';
import { admitWorkers, drainWorkers, pauseBriefly, workersById, workersOf } from './worker-commands.ts';
import { beginProbation, canProve, drainEarlierGenerations } from './probation.ts';
import { decideReload } from './reload-policy.ts';
import { deathsAfter, isCrashLoop, isExpectedEnd, isReplacedAtOnce, staysEmpty } from './restart-policy.ts';
import {
  type Backoff,
  commonOf,
  type Generation,
  isAccepting,
  type Idle,
  type OnProbation,
  type Program,
  type Reloading,
  type Resting,
  type Serving,
  type Starting,
  type Worker,
} from './state.ts';
import { isSuccessor } from './replacement.ts';
import {
  finishStep,
  firstStep,
  forgetReplaced,
  isReplaced,
  isStepStarted,
  relievedWorkers,
  startedSlots,
  superseded,
} from './rollout.ts';
import { failStart, restIfDone } from './stopping.ts';

export function announceReload(program: Program, cause: Cause, pending: boolean, out: Effect[]): void {
  const generation = program.lastGeneration + 1;
  out.push({ type: 'announce', event: { event: 'reloadRequested', cause, generation, pending } });
}

/** Starts the first generation since the program was created or came to rest; its number follows the last one. */
export function start(program: Resting | Backoff, { at }: { readonly at: number }, out: Effect[]): Starting {
  if (program.phase === 'backoff') out.push({ type: 'disarmTimer', key: { timer: 'retry' } });
  return startAfter(program, 0, at, out);
}

/** Starts the first generation after `failures` starts in a row that have failed. */
export function startAfter(
  program: Resting | Backoff,
  failures: number,
  at: number,
  out: Effect[],
): Starting {
  const before = { ...commonOf(program), phase: 'idle', deaths: [] } as const;
  const begun = beginGeneration<Idle>(before, at, out);
  return { ...begun.program, phase: 'starting', candidate: begun.generation, failures };
}

export function postpone<P extends Starting | Serving | Reloading>(
  program: P,
  { at, cause }: Extract<ProgramInput, { type: 'reloadRequested' }>,
  out: Effect[],
): P {
  // If a thousand requests become one reload, only the first is worth a line in the log.
  if (program.pendingSince === null) announceReload(program, cause, true, out);
  return { ...program, pendingSince: at };
}

/** Decides what a serving program does next: it begins the reload that waits, or comes to rest if it has no worker left and gets none. */
export function considerPending(serving: Serving, at: number, out: Effect[]): Program {
  const program = drainEarlierGenerations(serving, at, out);
  const decided = decideReload(program, at);
  switch (decided.decision) {
    case 'begin':
      return beginReload(program, at, out);
    case 'debounce':
      out.push({ type: 'armTimer', key: { timer: 'debounce' }, delayMs: decided.delayMs });
      return program;
    case 'waitForDrain':
      return program;
    case 'none':
      return restIfDone(program, at, out);
  }
}

export function beginReload(program: Serving, at: number, out: Effect[]): Reloading {
  const { program: begun, generation } = beginGeneration(program, at, out);
  const rollout = firstStep(begun, generation.slots.length);
  return { ...begun, phase: 'reloading', candidate: generation, rollout };
}

export function changeCount<P extends Program>(program: P, change: CountChange, out: Effect[]): P {
  const workersWanted = Math.max(1, typeof change === 'number' ? program.workersWanted + change : change.to);
  if (workersWanted === program.workersWanted) return program;
  out.push({
    type: 'announce',
    event: { event: 'workerCountChanged', fromCount: program.workersWanted, toCount: workersWanted },
  });
  return { ...program, workersWanted };
}

/**
 * Changes the number of workers while a candidate proves itself. That applies to the candidate: the serving generation goes soon, or is fitted at a
 * rollback.
 */
export function fitCandidate(
  program: Starting | Reloading,
  change: CountChange,
  at: number,
  out: Effect[],
): Program {
  const fitted = changeSlots(changeCount(program, change, out), program.candidate, at, out);
  return admitIfComplete({ ...fitted.program, candidate: fitted.generation }, at, out);
}

/** Asks the workers of the candidate to accept, once all of them are ready, or all of a step. */
export function admitIfComplete(program: Starting | Reloading, at: number, out: Effect[]): Program {
  const { candidate } = program;
  const started = startedSlots(candidate);
  if (!isStepStarted(program) || !isComplete(program, started)) return program;
  const workers = workersOf(program, candidate);
  const isAsked = workers.some(({ admission }) => admission === 'notAsked');
  // All new connections of the next moment should come to the new workers. Without this, most of them would come to the old ones. The old ones pause first:
  // a connection that arrives before the new ones accept waits in the queue of the listener.
  if (isAsked && program.phase === 'reloading') {
    const isPart = started.length < candidate.slots.length;
    if (isPart) pauseBriefly(relievedWorkers(program), out);
    else if (canProve(program)) pauseBriefly(workersOf(program, program.current), out);
  }
  const admitted = admitWorkers(program, workers, at, out);
  // If fewer workers are wanted than before, all remaining ones may have confirmed already.
  return promoteIfAdmitted(admitted, at, out);
}

/** Completes a reload once the whole candidate accepts: the previous generation pauses or drains. If only a part of it accepts, the next step follows. */
export function promoteIfAdmitted(program: Starting | Reloading, at: number, out: Effect[]): Program {
  const { candidate } = program;
  const started = startedSlots(candidate);
  if (!isStepStarted(program) || !isAdmitted(program, started)) return program;
  if (program.phase === 'reloading') {
    if (started.length < candidate.slots.length)
      return goBackIfSuperseded(finishStep(program, at, out), at, out);
    if (program.rollout.nextAt !== null) out.push({ type: 'disarmTimer', key: { timer: 'rollout' } });
  }
  const isProved = program.phase === 'starting' || !canProve(program);
  out.push({
    type: 'announce',
    event: {
      event: 'generationReady',
      generation: candidate.number,
      durationMs: at - candidate.startedAt,
      probationMs: isProved ? 0 : program.settings.probationMs,
    },
  });
  if (program.phase === 'reloading') cancelRestarts(program.current, out);
  if (!isProved) return beginProbation({ ...program, deaths: [] }, at, out);
  return considerPending(serve({ ...program, deaths: [] }, candidate), at, out);
}

/**
 * Rolls back a candidate that has failed or is not wanted any more. Those of its workers that already serve drain towards the old ones, unless these are
 * gone.
 */
export function rollBack(program: Reloading, failure: Failure, at: number, out: Effect[]): Program {
  const { current, candidate, rollout } = program;
  if (rollout.nextAt !== null) out.push({ type: 'disarmTimer', key: { timer: 'rollout' } });
  const remaining = remainingSlots(program, current, candidate).length;
  if (rollout.servesSince === null && remaining === 0)
    announceFailed(candidate, current.number, failure, at, out);
  else
    out.push({
      type: 'announce',
      event: {
        event: 'generationRolledBack',
        generation: candidate.number,
        to: current.number,
        durationMs: at - (rollout.servesSince ?? at),
        remaining,
        failure,
      },
    });
  return considerPending(goBack(program, current, candidate, at, out), at, out);
}

/**
 * Rolls back a candidate of which a part serves while another reload waits. The release on disk is that of the waiting reload, so the rest of the
 * candidate cannot be started.
 */
export function goBackIfSuperseded(program: Reloading, at: number, out: Effect[]): Program {
  return program.rollout.nextAt === null || program.pendingSince === null
    ? program
    : rollBack(program, superseded, at, out);
}

export function restart(
  program: Serving | Reloading | OnProbation,
  { at, generation, slot: index }: Extract<ProgramInput, { type: 'restartDue' }>,
  out: Effect[],
): Program {
  const { current } = program;
  const slot = current.slots.find((one) => one.index === index && one.workerId === null && one.rest === null);
  if (generation !== current.number || slot === undefined) return program;
  const filled = fillSlots(program, current, [slot], at, out);
  return { ...filled.program, current: filled.generation };
}

/** Restarts workers in slots that wait for the time of their restart. Their failures still count: after one more, the pause is longer. */
export function restartAtOnce<P extends Serving | Reloading | OnProbation>(
  program: P,
  { at }: { readonly at: number },
  out: Effect[],
): P {
  const { current } = program;
  const waiting = current.slots.filter(({ restartAt }) => restartAt !== null);
  if (waiting.length === 0) return program;
  cancelRestarts(current, out);
  const filled = fillSlots(program, current, waiting, at, out);
  return { ...filled.program, current: filled.generation };
}

export function admitReplacement(
  program: Serving | Reloading | OnProbation,
  { at, worker }: { readonly at: number; readonly worker: Worker },
  out: Effect[],
): Program {
  const admitted = admitWorkers(program, workersById(program, worker.id), at, out);
  return drainQueueWorker(admitted, { at, worker }, out);
}

/** Starts a worker that only empties a queue that was left behind. It belongs to the serving generation, but has no slot in it. */
export function serveLeftQueue<P extends Serving | Reloading | OnProbation>(
  program: P,
  { at, slot, connections }: Extract<ProgramInput, { type: 'queueLeftBehind' }>,
  out: Effect[],
): P {
  const { number, startedAt } = program.current;
  out.push({ type: 'announce', event: { event: 'queueLeftBehind', generation: number, slot, connections } });
  const slots = [emptySlot(freeSlot(program, slot))];
  const effects: Effect[] = [];
  const { program: filled } = fillSlots(program, { number, startedAt, slots }, slots, at, effects);
  out.push(...effects.map((one) => (one.type === 'startWorker' ? { ...one, queue: slot } : one)));
  return filled;
}

/** A slot that no worker has: two workers with the same number would share what the program derives from it, such as a port. */
function freeSlot({ current, workers }: Serving | Reloading | OnProbation, wanted: number): number {
  const filled = current.slots.filter(({ rest }) => rest === null);
  const used = new Set([...filled.map(({ index }) => index), ...workers.map((worker) => worker.slot)]);
  let free = used.has(wanted) ? current.slots.length : wanted;
  while (used.has(free)) free += 1;
  return free;
}

/** Drains a worker that was started for a queue: it accepts and has no slot. The queue is empty before it stops accepting. */
export function drainQueueWorker<P extends Serving | Reloading | OnProbation>(
  program: P,
  { at, worker: { id } }: { readonly at: number; readonly worker: Worker },
  out: Effect[],
): P {
  const workers = workersById(program, id).filter(
    (worker) => isAccepting(worker) && !isSuccessor(program, worker) && !hasSlot(program, worker),
  );
  return drainWorkers(program, workers, 'scaleDown', at, out);
}

/**
 * Replaces a worker that has ended by itself, or was not ready in time, if it has a slot in the serving generation and is to be replaced at all. (A worker
 * that drained by itself may have kept its slot until now.)
 */
export function replaceCrashed<P extends Serving | Reloading | OnProbation>(
  program: P,
  worker: Worker,
  { outcome, failure }: Pick<WorkerEnd, 'outcome' | 'failure'>,
  at: number,
  out: Effect[],
): P {
  const { settings, current } = program;
  if (!holds(current, worker)) return program;
  if (staysEmpty(settings.restart, worker, outcome))
    return { ...program, current: leaveEmpty(current, worker, { outcome, failure: null }, 'exited', out) };
  const deaths = deathsAfter(program, at);
  // A reload that waits or is under way may repair the program.
  const isGivenUp =
    program.phase === 'serving' && program.pendingSince === null && isCrashLoop(settings, deaths, at);
  return {
    ...program,
    deaths,
    current: isGivenUp
      ? leaveEmpty(current, worker, { outcome, failure }, 'crashLoop', out)
      : scheduleRestart(program, current, worker, at, out),
  };
}

/** Handles the end of a worker of the serving generation during a reload. In a reload in steps, a new worker may have replaced it already. */
export function loseOldWorker(
  program: Reloading,
  worker: Worker,
  end: Pick<WorkerEnd, 'outcome' | 'failure'>,
  at: number,
  out: Effect[],
): Reloading {
  return holds(program.current, worker) && isReplaced(program, worker)
    ? forgetReplaced(program, worker)
    : replaceCrashed(program, worker, end, at, out);
}

/** Handles the end of a worker whose generation has not served yet. Returns null if that is a failure of its generation. */
export function endInCandidate<P extends Starting | Reloading>(
  program: P,
  worker: Worker,
  { outcome }: WorkerEnd,
  out: Effect[],
): P | null {
  const { restart } = program.settings;
  if (outcome === null || worker.readyAt === null || !isExpectedEnd(restart, outcome)) return null;
  const rest = { outcome, failure: null };
  return { ...program, candidate: leaveEmpty(program.candidate, worker, rest, 'exited', out) };
}

/** Handles a worker that drains by itself: its slot is filled at once. A generation that was replaced has no slots left. */
export function replaceLeaving(
  program: Starting | Serving | Reloading | OnProbation,
  { at, worker }: { readonly at: number; readonly worker: Worker },
  out: Effect[],
): Program {
  if ('candidate' in program && holds(program.candidate, worker)) {
    const [counted, isOften] = countEarly(program, program.candidate, worker, at);
    if (!isOften) {
      const filled = refill(program, counted, worker, at, out);
      return { ...filled.program, candidate: filled.generation };
    }
    return program.phase === 'starting'
      ? failStart(program, leavesAtOnce, at, out)
      : rollBack(program, leavesAtOnce, at, out);
  }
  if (program.phase === 'starting' || !holds(program.current, worker)) return program;
  if (program.phase === 'reloading' && isReplaced(program, worker)) return forgetReplaced(program, worker);
  // replaceCrashed() decides that when the worker is gone.
  if (!isReplacedAtOnce(program.settings.restart)) return program;
  const [counted, isOften] = countEarly(program, program.current, worker, at);
  if (isOften) return { ...program, current: scheduleRestart(program, program.current, worker, at, out) };
  const filled = refill(program, counted, worker, at, out);
  return { ...filled.program, current: filled.generation };
}

/**
 * Counts workers that leave as soon as they serve. A program that signals itself then would be started again and again without a pause, so the second time
 * counts as a failure.
 */
function countEarly(
  { settings }: Program,
  generation: Generation,
  { id, readyAt }: Worker,
  at: number,
): readonly [counted: Generation, isOften: boolean] {
  if (at - (readyAt ?? at) >= settings.backoff.firstMs) return [generation, false];
  const isOften = generation.slots.some(({ workerId, failures }) => workerId === id && failures > 0);
  const slots = generation.slots.map((one) => (one.workerId === id ? { ...one, failures: 1 } : one));
  return [isOften ? generation : { ...generation, slots }, isOften];
}

const leavesAtOnce: Failure = {
  reason: 'exited',
  message: 'a worker began to drain by itself as soon as it was started, and so did the one in its place',
  hint: 'it was signalled, or signals itself',
  errorCode: null,
  outcome: null,
  stderrTail: [],
};
