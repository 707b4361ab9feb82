/**
 * The life of a program: a table, phase x event, total by its type. What happens inside one worker is decided
 * in worker-table.ts and arrives here as a verdict.
 *
 * Invariants kept here:
 * - from the first `serving` on there is a current generation until somebody asks to stop: no failure of a
 *   candidate touches it;
 * - a worker is admitted (may accept) only when its whole generation is ready;
 * - at most one candidate at a time; at most one reload waits.
 */
import type { Failure, ProgramPhase } from '../../shared/facts.ts';
import type { Effect, ProgramEvent, WorkerEnd } from './events.ts';
import {
  beginGeneration,
  cancelRestarts,
  fillSlots,
  fitSlots,
  holds,
  isComplete,
  kill,
  letGo,
  scheduleRestart,
  workersOf,
} from './generations.ts';
import { decideReload, mayBeginAtOnce } from './reload-policy.ts';
import {
  candidateGeneration,
  servingGeneration,
  type Generation,
  type InPhase,
  type Program,
  type Reloading,
  type Serving,
  type Starting,
  type Worker,
} from './state.ts';

/** What worker-table.ts found out, told to the program. `worker` is as it was before. */
export type VerdictEvent =
  | { readonly type: 'workerBecameReady'; readonly at: number; readonly worker: Worker }
  | { readonly type: 'workerFailed'; readonly at: number; readonly worker: Worker; readonly end: WorkerEnd }
  | { readonly type: 'workerGone'; readonly at: number; readonly worker: Worker };

export type ProgramInput = ProgramEvent | VerdictEvent;

type Handler<State, Input> = (program: State, input: Input, out: Effect[]) => Program;
type Row<Phase extends ProgramPhase> = {
  readonly [Type in ProgramInput['type']]: Handler<InPhase<Phase>, Extract<ProgramInput, { type: Type }>>;
};

/** Happens, and changes nothing. */
const ignore: Handler<Program, ProgramInput> = (program) => program;

/** Cannot happen while the invariants hold. Nothing is done: a master does not fall over its own mistake. */
const impossible: Handler<Program, ProgramInput> = (program) => program;

const table: { readonly [Phase in ProgramPhase]: Row<Phase> } = {
  idle: {
    startRequested: (program, { at }, out) => {
      const begun = beginGeneration(program, at, out);
      return { ...begun.program, phase: 'starting', candidate: begun.generation };
    },
    reloadRequested: ignore,
    stopRequested: (program, { cause }, out) => {
      out.push({ type: 'announce', fact: { event: 'stopRequested', cause, urgent: false } });
      return stopIfEmpty({ ...program, phase: 'stopping', failure: null }, out);
    },
    workerCountRequested: (program, { change }, out) => changeCount(program, change, out),
    restartDue: impossible,
    settleElapsed: impossible,
    workerBecameReady: impossible,
    workerFailed: impossible,
    workerGone: impossible,
  },

  starting: {
    startRequested: ignore,
    reloadRequested: (program, event, out) => postpone(program, event, out),
    stopRequested: (program, { at, cause }, out) => stop(program, at, cause, out),
    workerCountRequested: (program, { at, change }, out) => fitCandidate(program, change, at, out),
    restartDue: impossible,
    settleElapsed: ignore,
    workerBecameReady: (program, { at }, out) => promoteIfComplete(program, at, out),
    workerFailed: (program, { at, worker, end }, out) => {
      if (!holds(program.candidate, worker)) return program;
      announceFailed(program.candidate, end.failure, at, out);
      return giveUp(program, end.failure, at, out);
    },
    workerGone: ignore,
  },

  serving: {
    startRequested: ignore,
    reloadRequested: (program, event, out) => {
      if (!mayBeginAtOnce(program)) return considerPending(postpone(program, event, out), event.at, out);
      announceReload(program, event.cause, false, out);
      return beginReload(program, event.at, out);
    },
    stopRequested: (program, { at, cause }, out) => stop(program, at, cause, out),
    workerCountRequested: (program, { at, change }, out) => {
      const fitted = fitSlots(changeCount(program, change, out), program.current, at, out);
      return { ...fitted.program, current: fitted.generation };
    },
    restartDue: restart,
    settleElapsed: (program, { at }, out) => considerPending(program, at, out),
    workerBecameReady: admitReplacement,
    workerFailed: (program, { at, worker }, out) =>
      considerPending(replaceCrashed(program, worker, at, out), at, out),
    workerGone: (program, { at }, out) => considerPending(program, at, out),
  },

  reloading: {
    startRequested: ignore,
    reloadRequested: (program, event, out) => postpone(program, event, out),
    stopRequested: (program, { at, cause }, out) => stop(program, at, cause, out),
    workerCountRequested: (program, { at, change }, out) => fitCandidate(program, change, at, out),
    restartDue: restart,
    settleElapsed: ignore,
    workerBecameReady: (program, event, out) =>
      holds(program.candidate, event.worker)
        ? promoteIfComplete(program, event.at, out)
        : admitReplacement(program, event, out),
    workerFailed: (program, { at, worker, end }, out) =>
      holds(program.candidate, worker)
        ? rollBack(program, end.failure, at, out)
        : replaceCrashed(program, worker, at, out),
    workerGone: ignore,
  },

  stopping: {
    startRequested: ignore,
    reloadRequested: ignore,
    stopRequested: (program, { at, cause }, out) => {
      out.push({ type: 'announce', fact: { event: 'stopRequested', cause, urgent: true } });
      return kill(program, program.workers, 'stop', at, out);
    },
    workerCountRequested: ignore,
    restartDue: ignore,
    settleElapsed: ignore,
    workerBecameReady: impossible,
    workerFailed: (program, _event, out) => stopIfEmpty(program, out),
    workerGone: (program, _event, out) => stopIfEmpty(program, out),
  },

  stopped: {
    startRequested: ignore,
    reloadRequested: ignore,
    stopRequested: ignore,
    workerCountRequested: ignore,
    restartDue: ignore,
    settleElapsed: ignore,
    workerBecameReady: impossible,
    workerFailed: impossible,
    workerGone: impossible,
  },
};

export function stepProgram(program: Program, input: ProgramInput, out: Effect[]): Program {
  // The one dispatch: the table's type guarantees that this cell takes this phase and this input.
  const handler = table[program.phase][input.type] as Handler<Program, ProgramInput>;
  return handler(program, input, out);
}

/** The phases x inputs that the table calls impossible: for the tests and the generated diagram. */
export function isImpossible(phase: ProgramPhase, type: ProgramInput['type']): boolean {
  return table[phase][type] === impossible;
}

function announceReload(program: Program, cause: Parameters<typeof stop>[2], pending: boolean, out: Effect[]): void {
  const generation = program.lastGeneration + 1;
  out.push({ type: 'announce', fact: { event: 'reloadRequested', cause, generation, pending } });
}

function postpone<P extends Starting | Serving | Reloading>(
  program: P,
  { at, cause }: Extract<ProgramEvent, { type: 'reloadRequested' }>,
  out: Effect[],
): P {
  // Of a thousand requests that become one reload, the first is worth a line in the log.
  if (program.pendingSince === null) announceReload(program, cause, true, out);
  return { ...program, pendingSince: at };
}

function considerPending(program: Serving, at: number, out: Effect[]): Serving | Reloading {
  const decided = decideReload(program, at);
  switch (decided.decision) {
    case 'begin':
      return beginReload(program, at, out);
    case 'settle':
      out.push({ type: 'armTimer', key: { timer: 'settle' }, delayMs: decided.delayMs });
      return program;
    case 'waitForDrain':
    case 'none':
      return program;
  }
}

function beginReload(program: Serving, at: number, out: Effect[]): Reloading {
  const begun = beginGeneration(program, at, out);
  return { ...begun.program, phase: 'reloading', candidate: begun.generation };
}

function changeCount<P extends Program>(program: P, change: number, out: Effect[]): P {
  const workersWanted = Math.max(1, program.workersWanted + change);
  if (workersWanted === program.workersWanted) return program;
  out.push({
    type: 'announce',
    fact: { event: 'workerCountChanged', fromCount: program.workersWanted, toCount: workersWanted },
  });
  return { ...program, workersWanted };
}

/** While a candidate proves itself, a new count is for the candidate: what serves now goes soon, or is fitted at a rollback. */
function fitCandidate(program: Starting | Reloading, change: number, at: number, out: Effect[]): Program {
  const fitted = fitSlots(changeCount(program, change, out), program.candidate, at, out);
  return promoteIfComplete({ ...fitted.program, candidate: fitted.generation }, at, out);
}

/** The moment of a reload: the whole candidate begins to accept, then the generation before it drains. */
function promoteIfComplete(program: Starting | Reloading, at: number, out: Effect[]): Program {
  const { candidate } = program;
  if (!isComplete(program, candidate)) return program;
  for (const { workerId } of candidate.slots) {
    if (workerId !== null) out.push({ type: 'admitWorker', worker: workerId });
  }
  out.push({
    type: 'announce',
    fact: {
      event: 'generationReady',
      generation: candidate.number,
      durationMs: at - candidate.startedAt,
    },
  });
  let relieved: Starting | Reloading = program;
  if (program.phase === 'reloading') {
    cancelRestarts(program.current, out);
    relieved = letGo(program, workersOf(program, program.current), 'reload', at, out);
  }
  return considerPending(serve(relieved, candidate), at, out);
}

function rollBack(program: Reloading, failure: Failure, at: number, out: Effect[]): Program {
  announceFailed(program.candidate, failure, at, out);
  const rid = kill(program, workersOf(program, program.candidate), 'rollback', at, out);
  const fitted = fitSlots(rid, rid.current, at, out);
  return considerPending(serve(fitted.program, fitted.generation), at, out);
}

/** The program, serving with `current`. */
function serve(program: Starting | Reloading, current: Generation): Serving {
  const { settings, workersWanted, workers, lastGeneration, lastWorkerId, pendingSince } = program;
  return {
    phase: 'serving',
    settings,
    workersWanted,
    workers,
    lastGeneration,
    lastWorkerId,
    pendingSince,
    current,
  };
}

function restart(
  program: Serving | Reloading,
  { at, generation, slot: index }: Extract<ProgramEvent, { type: 'restartDue' }>,
  out: Effect[],
): Program {
  const { current } = program;
  const slot = current.slots.find((one) => one.index === index && one.workerId === null);
  if (generation !== current.number || slot === undefined) return program;
  const filled = fillSlots(program, current, [slot], at, out);
  return { ...filled.program, current: filled.generation };
}

function admitReplacement(
  program: Serving | Reloading,
  { worker }: Extract<VerdictEvent, { type: 'workerBecameReady' }>,
  out: Effect[],
): Program {
  out.push({ type: 'admitWorker', worker: worker.id });
  return program;
}

function replaceCrashed<P extends Serving | Reloading>(
  program: P,
  worker: Worker,
  at: number,
  out: Effect[],
): P {
  return { ...program, current: scheduleRestart(program, program.current, worker, at, out) };
}

function announceFailed(candidate: Generation, failure: Failure, at: number, out: Effect[]): void {
  out.push({
    type: 'announce',
    fact: {
      event: 'generationFailed',
      generation: candidate.number,
      durationMs: at - candidate.startedAt,
      failure,
    },
  });
}

function giveUp(program: Starting, failure: Failure, at: number, out: Effect[]): Program {
  const rid = kill(program, program.workers, 'rollback', at, out);
  return endWith(rid, failure, out);
}

function stop(
  program: Starting | Serving | Reloading,
  at: number,
  cause: Extract<ProgramEvent, { type: 'stopRequested' }>['cause'],
  out: Effect[],
): Program {
  out.push({ type: 'announce', fact: { event: 'stopRequested', cause, urgent: false } });
  const leaving = letGo(program, program.workers, 'stop', at, out);
  return endWith(leaving, null, out);
}

function endWith(program: Starting | Serving | Reloading, failure: Failure | null, out: Effect[]): Program {
  const current = servingGeneration(program);
  const candidate = candidateGeneration(program);
  for (const generation of [current, candidate]) if (generation !== null) cancelRestarts(generation, out);
  out.push({ type: 'disarmTimer', key: { timer: 'settle' } }, { type: 'closeListeners' });
  const { settings, workersWanted, workers, lastGeneration, lastWorkerId } = program;
  return stopIfEmpty(
    {
      phase: 'stopping',
      settings,
      workersWanted,
      workers,
      lastGeneration,
      lastWorkerId,
      pendingSince: null,
      failure,
    },
    out,
  );
}

function stopIfEmpty(program: InPhase<'stopping'>, out: Effect[]): Program {
  if (program.workers.length > 0) return program;
  out.push(
    { type: 'announce', fact: { event: 'stopped', failure: program.failure } },
    { type: 'finish', failure: program.failure },
  );
  return { ...program, phase: 'stopped' };
}
