/**
 * The life of one worker: a table, phase x input, total by its type. It decides about this worker alone;
 * what its readiness or end means for the program is decided in program-table.ts.
 *
 * Invariants kept here:
 * - a worker in `starting` has a ready timer, one in `ready` that was asked to accept and has not confirmed it an admit
 *   timer, one in `draining` a drain timer, one in `terminating` a kill timer, and no worker has another one;
 * - once told to go, a worker never becomes ready again.
 */
import type { WorkerPhase } from '../../../shared/events.ts';
import type { LifecycleSettings, Worker } from './state.ts';
import { escalate, extendDrain, extendStart } from './deadlines.ts';
import {
  endCommand,
  killRestarted,
  pauseBeforeReady,
  failedAndGone,
  goneAsAsked,
  endedWhileReady,
  notReadyInTime,
  drain,
  drainIfItAccepts,
  leaves,
  kill,
  killedBeforeItsBirth,
} from './worker-endings.ts';
import {
  ignore,
  impossible,
  spawned,
  becameReady,
  provedGated,
  restartedItself,
  lostProgram,
  startedAgain,
  admit,
  wasAdmitted,
  notAdmitted,
  pause,
  resume,
  cannotPause,
  takesConnections,
  adopted,
  foundHung,
  cameBack,
} from './worker-moves.ts';
import type { Handler, Row, WorkerStep, WorkerTableInput } from './worker-step.ts';

const table: { readonly [Phase in WorkerPhase]: Row } = {
  starting: {
    workerSpawned: spawned,
    workerSaidReady: becameReady,
    workerLostProgram: ignore,
    workerRestartedItself: startedAgain,
    workerCannotPause: ignore,
    workerAdmitted: ignore,
    admissionFailed: ignore,
    workerTakesConnections: ignore,
    workerSaidItDrains: ignore,
    workerEnded: failedAndGone,
    workerNotReady: notReadyInTime,
    workerNeedsTime: extendStart,
    workerAdopted: adopted,
    workerHung: ignore,
    workerAlive: ignore,
    drainTimedOut: impossible,
    killTimedOut: impossible,
    pause: pauseBeforeReady,
    resume: ignore,
    admit: impossible,
    drain: drainIfItAccepts,
    kill,
  },
  ready: {
    workerSpawned: impossible,
    workerSaidReady: provedGated,
    workerLostProgram: lostProgram,
    workerRestartedItself: restartedItself,
    workerCannotPause: cannotPause,
    workerAdmitted: wasAdmitted,
    admissionFailed: notAdmitted,
    workerTakesConnections: takesConnections,
    workerSaidItDrains: leaves,
    workerEnded: endedWhileReady,
    workerNotReady: ignore,
    workerNeedsTime: ignore,
    workerAdopted: adopted,
    workerHung: foundHung,
    workerAlive: cameBack,
    drainTimedOut: impossible,
    killTimedOut: impossible,
    pause: pause,
    resume: resume,
    admit: admit,
    drain,
    kill,
  },
  draining: {
    workerSpawned: impossible,
    workerSaidReady: ignore,
    workerLostProgram: endCommand,
    workerRestartedItself: killRestarted,
    workerCannotPause: ignore,
    workerAdmitted: ignore,
    admissionFailed: ignore,
    workerTakesConnections: ignore,
    workerSaidItDrains: ignore,
    workerEnded: goneAsAsked,
    workerNotReady: ignore,
    workerNeedsTime: extendDrain,
    workerAdopted: adopted,
    workerHung: ignore,
    workerAlive: ignore,
    drainTimedOut: escalate,
    killTimedOut: impossible,
    pause: ignore,
    resume: ignore,
    admit: ignore,
    drain: ignore,
    kill,
  },
  terminating: {
    workerSpawned: impossible,
    workerSaidReady: ignore,
    workerLostProgram: ignore,
    workerRestartedItself: killRestarted,
    workerCannotPause: ignore,
    workerAdmitted: ignore,
    admissionFailed: ignore,
    workerTakesConnections: ignore,
    workerSaidItDrains: ignore,
    workerEnded: goneAsAsked,
    workerNotReady: ignore,
    workerNeedsTime: ignore,
    workerAdopted: adopted,
    workerHung: ignore,
    workerAlive: ignore,
    drainTimedOut: ignore,
    killTimedOut: escalate,
    pause: ignore,
    resume: ignore,
    admit: ignore,
    drain: ignore,
    kill,
  },
  killing: {
    workerSpawned: killedBeforeItsBirth,
    workerSaidReady: ignore,
    workerLostProgram: ignore,
    workerRestartedItself: ignore,
    workerCannotPause: ignore,
    workerAdmitted: ignore,
    admissionFailed: ignore,
    workerTakesConnections: ignore,
    workerSaidItDrains: ignore,
    workerEnded: goneAsAsked,
    workerNotReady: ignore,
    workerNeedsTime: ignore,
    workerAdopted: adopted,
    workerHung: ignore,
    workerAlive: ignore,
    drainTimedOut: ignore,
    killTimedOut: ignore,
    pause: ignore,
    resume: ignore,
    admit: ignore,
    drain: ignore,
    kill: ignore,
  },
};

export function stepWorker(worker: Worker, input: WorkerTableInput, settings: LifecycleSettings): WorkerStep {
  // The one dispatch: the table's type guarantees that this cell takes this input.
  const handler = table[worker.phase][input.type] as Handler<WorkerTableInput>;
  return handler(worker, input, settings);
}

/** Whether the table calls this input impossible in this phase. For the tests and the generated diagram. */
export function isImpossible(phase: WorkerPhase, type: WorkerTableInput['type']): boolean {
  return table[phase][type] === impossible;
}
