/**
 * The life of a program: a table, phase x input, total by its type. What happens inside one worker is decided
 * in worker-table.ts and arrives here as a verdict.
 *
 * Invariants kept here:
 * - from the first `serving` on there is a current generation until a stop is requested: no failure of a
 *   candidate touches it;
 * - a worker is admitted (may accept) only when its whole generation is ready, or all workers of its step;
 * - a generation serves, and the one before it drains, only when all its workers have confirmed that they accept;
 * - while a generation is on probation, the one before it can accept again: none of its workers is told to drain or to end;
 * - a worker of an earlier generation that has no slot any more drains, except that in a reload with max_surge = 100%
 *   paused ones wait until a worker of the candidate serves, or it has failed (probation.ts);
 * - in a reload in steps, old workers go only as far as max_surge demands it and max_unavailable allows it (rollout.ts);
 * - at most one candidate at a time; at most one reload waits.
 */
import type { ProgramPhase } from '../../../shared/events.ts';
import type { Effect, ProgramInput } from './inputs.ts';
import { fitSlots, holds, isAtRest } from './generations.ts';
import {
  admitIfComplete,
  admitReplacement,
  announceReload,
  beginReload,
  changeCount,
  considerPending,
  drainQueueWorker,
  endInCandidate,
  fitCandidate,
  goBackIfSuperseded,
  loseOldWorker,
  postpone,
  promoteIfAdmitted,
  replaceCrashed,
  replaceLeaving,
  restart,
  restartAtOnce,
  rollBack,
  serveLeftQueue,
  start,
  startAfter,
} from './program-moves.ts';
import { failStart, keepStopped, refuseStart, stop, stopIfEmpty, stopNow, stopResting } from './stopping.ts';
import { giveUpPrevious, losePrevious, rollBackServing, settle } from './probation.ts';
import { beginStep, giveUpReplaced, goneBack, promote } from './rollout.ts';
import { mayBeginAtOnce } from './reload-policy.ts';
import { forgetHung, hungFailure, replacementDue, replaceHung, wantReplacement } from './replacement.ts';
import { isExpectedEnd } from './restart-policy.ts';
import type { InPhase, LifecycleSettings, Program, Worker } from './state.ts';
import type { Verdict } from './worker-step.ts';

/** A verdict of worker-table.ts as an input of the program. `worker`: the worker as it was before. */
export type VerdictInput = Verdict & { readonly at: number; readonly worker: Worker };

export type ProgramTableInput = ProgramInput | VerdictInput;

type Handler<State, Input> = (program: State, input: Input, out: Effect[]) => Program;
type Row<Phase extends ProgramPhase> = {
  readonly [Type in ProgramTableInput['type']]: Handler<
    InPhase<Phase>,
    Extract<ProgramTableInput, { type: Type }>
  >;
};

/** For an input that can happen and changes nothing. */
const ignore: Handler<Program, ProgramTableInput> = (program) => program;

/** For an input that cannot happen while the invariants hold. The program stays as it is, and the bug is reported. */
const impossible: Handler<Program, ProgramTableInput> = (program, { type }, out) => {
  const problem = `${type} for a program that is ${program.phase}`;
  out.push({ type: 'announce', event: { event: 'internalError', problem } });
  return program;
};

const changeSettings = (
  program: Program,
  { settings }: { readonly settings: LifecycleSettings },
): Program => ({
  ...program,
  settings,
});

/** The row for programs without a process. They can be started. */
const resting: Row<'idle' | 'stopped' | 'exited' | 'failed'> = {
  startRequested: start,
  startRefused: refuseStart,
  stopRemembered: impossible,
  settingsChanged: changeSettings,
  reloadRequested: ignore,
  stopRequested: stopResting,
  workerCountRequested: (program, { change }, out) => changeCount(program, change, out),
  restartDue: ignore,
  replacementWanted: ignore,
  replacementDue: ignore,
  queueLeftBehind: ignore,
  generationFoundBad: ignore,
  retryDue: ignore,
  rolloutDue: ignore,
  promoteRequested: ignore,
  rollbackRequested: ignore,
  debounceElapsed: ignore,
  probationElapsed: ignore,
  workerBecameReady: impossible,
  workerProgramEnded: impossible,
  workerProgramRestarted: impossible,
  workerStillAccepts: impossible,
  workerWasAdmitted: impossible,
  workerFailed: impossible,
  workerFoundHung: impossible,
  workerCameBack: impossible,
  workerLeft: impossible,
  workerGone: impossible,
};

const table: { readonly [Phase in ProgramPhase]: Row<Phase> } = {
  idle: {
    ...resting,
    stopRemembered: keepStopped,
    // The program has had no timer yet.
    restartDue: impossible,
    retryDue: impossible,
    rolloutDue: impossible,
    debounceElapsed: impossible,
    probationElapsed: impossible,
  },

  starting: {
    startRequested: ignore,
    startRefused: impossible,
    stopRemembered: impossible,
    settingsChanged: changeSettings,
    reloadRequested: (program, input, out) => postpone(program, input, out),
    stopRequested: (program, input, out) => stop(program, input, out),
    workerCountRequested: (program, { at, change }, out) => fitCandidate(program, change, at, out),
    restartDue: impossible,
    replacementWanted: ignore,
    replacementDue: ignore,
    queueLeftBehind: ignore,
    generationFoundBad: ignore,
    retryDue: ignore,
    rolloutDue: ignore,
    promoteRequested: ignore,
    rollbackRequested: ignore,
    debounceElapsed: ignore,
    probationElapsed: ignore,
    workerBecameReady: (program, { at }, out) => admitIfComplete(program, at, out),
    workerProgramEnded: ignore,
    workerProgramRestarted: (program, { at }, out) => admitIfComplete(program, at, out),
    workerStillAccepts: ignore,
    workerWasAdmitted: (program, { at }, out) => promoteIfAdmitted(program, at, out),
    workerFailed: (program, { at, worker, end }, out) => {
      if (!holds(program.candidate, worker)) return program;
      const next = endInCandidate(program, worker, end, out);
      return next === null ? failStart(program, end.failure, at, out) : admitIfComplete(next, at, out);
    },
    workerFoundHung: ignore,
    workerCameBack: ignore,
    workerLeft: replaceLeaving,
    workerGone: ignore,
  },

  backoff: {
    startRequested: start,
    startRefused: impossible,
    stopRemembered: impossible,
    settingsChanged: changeSettings,
    reloadRequested: (program, { at, cause }, out) => {
      announceReload(program, cause, false, out);
      return start(program, { at }, out);
    },
    stopRequested: (program, input, out) => stop(program, input, out),
    workerCountRequested: (program, { change }, out) => changeCount(program, change, out),
    restartDue: ignore,
    replacementWanted: ignore,
    replacementDue: ignore,
    queueLeftBehind: ignore,
    generationFoundBad: ignore,
    retryDue: (program, { at }, out) => startAfter(program, program.failures, at, out),
    rolloutDue: ignore,
    promoteRequested: ignore,
    rollbackRequested: ignore,
    debounceElapsed: ignore,
    probationElapsed: ignore,
    workerBecameReady: impossible,
    workerProgramEnded: impossible,
    workerProgramRestarted: impossible,
    workerStillAccepts: impossible,
    workerWasAdmitted: impossible,
    workerFailed: impossible,
    workerFoundHung: impossible,
    workerCameBack: impossible,
    workerLeft: impossible,
    workerGone: ignore,
  },

  serving: {
    startRequested: restartAtOnce,
    startRefused: impossible,
    stopRemembered: impossible,
    settingsChanged: changeSettings,
    reloadRequested: (program, input, out) => {
      if (!mayBeginAtOnce(program)) return considerPending(postpone(program, input, out), input.at, out);
      announceReload(program, input.cause, false, out);
      return beginReload(program, input.at, out);
    },
    stopRequested: (program, input, out) => stop(program, input, out),
    workerCountRequested: (program, { at, change }, out) => {
      const fitted = fitSlots(changeCount(program, change, out), program.current, at, out);
      return { ...fitted.program, current: fitted.generation };
    },
    restartDue: restart,
    replacementWanted: wantReplacement,
    replacementDue: replacementDue,
    queueLeftBehind: serveLeftQueue,
    generationFoundBad: ignore,
    retryDue: ignore,
    rolloutDue: ignore,
    promoteRequested: ignore,
    rollbackRequested: ignore,
    debounceElapsed: (program, { at }, out) => considerPending(program, at, out),
    probationElapsed: ignore,
    workerBecameReady: admitReplacement,
    workerProgramEnded: ignore,
    workerProgramRestarted: admitReplacement,
    workerStillAccepts: ignore,
    workerWasAdmitted: drainQueueWorker,
    workerFailed: (program, { at, worker, end }, out) =>
      considerPending(replaceCrashed(program, worker, end, at, out), at, out),
    workerFoundHung: replaceHung,
    workerCameBack: forgetHung,
    workerLeft: replaceLeaving,
    workerGone: (program, { at, worker, end }, out) =>
      considerPending(replaceCrashed(program, worker, end, at, out), at, out),
  },

  reloading: {
    startRequested: restartAtOnce,
    startRefused: impossible,
    stopRemembered: impossible,
    // The steps of a reload may have become smaller.
    settingsChanged: (program, input, out) =>
      admitIfComplete({ ...program, settings: input.settings }, input.at, out),
    reloadRequested: (program, input, out) =>
      goBackIfSuperseded(postpone(program, input, out), input.at, out),
    stopRequested: (program, input, out) => stop(program, input, out),
    workerCountRequested: (program, { at, change }, out) => fitCandidate(program, change, at, out),
    restartDue: restart,
    replacementWanted: wantReplacement,
    replacementDue: replacementDue,
    queueLeftBehind: serveLeftQueue,
    generationFoundBad: (program, { at, generation, failure }, out) =>
      generation === program.candidate.number && program.rollout.servesSince !== null
        ? rollBack(program, failure, at, out)
        : program,
    retryDue: ignore,
    rolloutDue: (program) => (program.rollout.nextAt === null ? program : beginStep(program)),
    promoteRequested: promote,
    rollbackRequested: (program, { at }, out) => rollBack(program, goneBack, at, out),
    debounceElapsed: ignore,
    probationElapsed: ignore,
    workerBecameReady: (program, input, out) =>
      holds(program.candidate, input.worker)
        ? admitIfComplete(program, input.at, out)
        : admitReplacement(program, input, out),
    workerProgramEnded: (program, { at, worker, failure }, out) => {
      if (holds(program.candidate, worker)) return rollBack(program, failure, at, out);
      return worker.isPaused ? giveUpReplaced(program, worker, 'reload', at, out) : program;
    },
    workerProgramRestarted: (program, input, out) => {
      const { at, worker, failure } = input;
      if (holds(program.candidate, worker)) return rollBack(program, failure, at, out);
      return worker.isPaused
        ? giveUpReplaced(program, worker, 'restartedItself', at, out)
        : admitReplacement(program, input, out);
    },
    workerStillAccepts: ignore,
    workerWasAdmitted: (program, input, out) =>
      holds(program.candidate, input.worker)
        ? promoteIfAdmitted(program, input.at, out)
        : drainQueueWorker(program, input, out),
    workerFailed: (program, { at, worker, end }, out) => {
      if (!holds(program.candidate, worker)) return loseOldWorker(program, worker, end, at, out);
      const next = endInCandidate(program, worker, end, out);
      return next === null ? rollBack(program, end.failure, at, out) : admitIfComplete(next, at, out);
    },
    workerFoundHung: (program, input, out) =>
      holds(program.candidate, input.worker)
        ? rollBack(program, hungFailure(input.cause), input.at, out)
        : replaceHung(program, input, out),
    workerCameBack: forgetHung,
    workerLeft: replaceLeaving,
    workerGone: (program, { at, worker, end }, out) => loseOldWorker(program, worker, end, at, out),
  },

  probation: {
    startRequested: restartAtOnce,
    startRefused: impossible,
    stopRemembered: impossible,
    settingsChanged: changeSettings,
    reloadRequested: (program, input, out) => stepProgram(settle(program, input.at, out), input, out),
    stopRequested: (program, input, out) => stop(program, input, out),
    workerCountRequested: (program, input, out) => stepProgram(settle(program, input.at, out), input, out),
    restartDue: restart,
    replacementWanted: wantReplacement,
    replacementDue: replacementDue,
    queueLeftBehind: serveLeftQueue,
    generationFoundBad: (program, { at, generation, failure }, out) =>
      generation === program.current.number ? rollBackServing(program, failure, at, out) : program,
    retryDue: ignore,
    rolloutDue: ignore,
    promoteRequested: (program, { at }, out) => considerPending(settle(program, at, out), at, out),
    rollbackRequested: (program, { at }, out) => rollBackServing(program, goneBack, at, out),
    debounceElapsed: ignore,
    probationElapsed: (program, { at }, out) => considerPending(settle(program, at, out), at, out),
    workerBecameReady: admitReplacement,
    workerProgramEnded: (program, { at, worker, failure }, out) =>
      holds(program.current, worker)
        ? rollBackServing(program, failure, at, out)
        : giveUpPrevious(program, worker, 'reload', at, out),
    workerProgramRestarted: (program, { at, worker, failure }, out) =>
      holds(program.current, worker)
        ? rollBackServing(program, failure, at, out)
        : giveUpPrevious(program, worker, 'restartedItself', at, out),
    workerStillAccepts: (program, { at }, out) => considerPending(settle(program, at, out), at, out),
    workerWasAdmitted: drainQueueWorker,
    workerFailed: (program, { at, worker, end }, out) => {
      if (!holds(program.current, worker)) return losePrevious(program, worker, at, out);
      if (!isExpectedEnd(program.settings.restart, end.outcome))
        return rollBackServing(program, end.failure, at, out);
      const next = replaceCrashed(program, worker, end, at, out);
      return isAtRest(next.current) ? considerPending(settle(next, at, out), at, out) : next;
    },
    workerFoundHung: (program, input, out) =>
      holds(program.current, input.worker)
        ? rollBackServing(program, hungFailure(input.cause), input.at, out)
        : program,
    workerCameBack: forgetHung,
    workerLeft: (program, input, out) =>
      holds(program.current, input.worker)
        ? replaceLeaving(program, input, out)
        : losePrevious(program, input.worker, input.at, out),
    workerGone: (program, { at, worker, end }, out) => replaceCrashed(program, worker, end, at, out),
  },

  stopping: {
    startRequested: ignore,
    startRefused: impossible,
    stopRemembered: impossible,
    settingsChanged: changeSettings,
    reloadRequested: ignore,
    stopRequested: stopNow,
    workerCountRequested: (program, { change }, out) => changeCount(program, change, out),
    restartDue: ignore,
    replacementWanted: ignore,
    replacementDue: ignore,
    queueLeftBehind: ignore,
    generationFoundBad: ignore,
    retryDue: ignore,
    rolloutDue: ignore,
    promoteRequested: ignore,
    rollbackRequested: ignore,
    debounceElapsed: ignore,
    probationElapsed: ignore,
    workerBecameReady: impossible,
    workerProgramEnded: impossible,
    workerProgramRestarted: impossible,
    workerStillAccepts: impossible,
    workerWasAdmitted: impossible,
    workerFailed: (program, _input, out) => stopIfEmpty(program, out),
    workerFoundHung: impossible,
    workerCameBack: impossible,
    workerLeft: impossible,
    workerGone: (program, _input, out) => stopIfEmpty(program, out),
  },

  stopped: { ...resting, stopRequested: ignore },
  exited: { ...resting },
  failed: { ...resting },
};

export function stepProgram(program: Program, input: ProgramTableInput, out: Effect[]): Program {
  // The one dispatch: the table's type guarantees that this cell takes this phase and this input.
  const handler = table[program.phase][input.type] as Handler<Program, ProgramTableInput>;
  return handler(program, input, out);
}

/** Whether the table calls this input impossible in this phase. For the tests and the generated diagram. */
export function isImpossible(phase: ProgramPhase, type: ProgramTableInput['type']): boolean {
  return table[phase][type] === impossible;
}
