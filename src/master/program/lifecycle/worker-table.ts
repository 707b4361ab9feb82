/**
 * The life of one worker: a table, phase x input, total by its type. It decides about this worker alone;
 * what its readiness or end means for the program is decided in program-table.ts.
 *
 * Invariants kept here:
 * - a worker in `starting` has a ready timer, one in `ready` that was asked to accept and has not confirmed it an admit
 *   timer, one in `draining` a drain timer, one in `terminating` a kill timer, and no worker has another one;
 * - once told to go, a worker never becomes ready again.
 */
import { drainCrash } from './drain-crash.ts';
import type { MasterEvent, Failure, WorkerPhase } from '../../../shared/events.ts';
import type { DrainReason } from '../../../shared/protocol.ts';
import { silentEnd, type Effect, type WorkerEnd, type WorkerInput } from './inputs.ts';
import type { LifecycleSettings, Worker } from './state.ts';

type KillReason = Extract<MasterEvent, { event: 'workerKilled' }>['reason'];

/** What a program tells one of its workers. */
export type WorkerCommand =
  | { readonly type: 'admit' | 'pause' | 'resume'; readonly at: number }
  | { readonly type: 'drain'; readonly at: number; readonly reason: DrainReason }
  | { readonly type: 'kill'; readonly at: number; readonly reason: KillReason };

export type WorkerTableInput = WorkerInput | WorkerCommand;

/** What the program has to know of what happened. */
export type Verdict =
  | { readonly type: 'becameReady' }
  /** Its program is another process now, which is ready. */
  | { readonly type: 'restartedItself'; readonly failure: Failure }
  /** Its program is gone, and its command may start it again. */
  | { readonly type: 'lostProgram'; readonly failure: Failure }
  /** It confirmed that it accepts connections. */
  | { readonly type: 'wasAdmitted' }
  /** It was to pause, and accepts on. */
  | { readonly type: 'cannotPause' }
  /** It will not become ready; its process may still be there, going. */
  | { readonly type: 'failed'; readonly end: WorkerEnd }
  /** It drains, although nothing here has asked it to. */
  | { readonly type: 'left' }
  /** It is gone, as it was asked to. */
  | { readonly type: 'gone' }
  | null;

export interface WorkerStep {
  /** Null when the worker is gone. */
  readonly worker: Worker | null;
  readonly effects: readonly Effect[];
  readonly verdict: Verdict;
}

type Handler<Input> = (worker: Worker, input: Input, settings: LifecycleSettings) => WorkerStep;
type Row = {
  readonly [Type in WorkerTableInput['type']]: Handler<Extract<WorkerTableInput, { type: Type }>>;
};

/** Happens, and changes nothing: a stale timer, a second word of a worker that goes. */
const ignore: Handler<WorkerTableInput> = (worker) => ({ worker, effects: [], verdict: null });

/** Cannot happen while the invariants hold. The worker stays as it is, and the bug is reported. */
const impossible: Handler<WorkerTableInput> = (worker, { type }) => ({
  worker,
  effects: [announce({ event: 'internalError', problem: `${type} for a worker that is ${worker.phase}` })],
  verdict: null,
});

const spawned: Row['workerSpawned'] = (worker, { pid }) => {
  const born: Worker = { ...worker, pid };
  return {
    worker: born,
    effects: [
      announce({ event: 'workerStarted', ...identity(born), from: null, to: born.phase, durationMs: 0 }),
    ],
    verdict: null,
  };
};

const becameReady: Row['workerSaidReady'] = (worker, { at }, settings) => ({
  worker: { ...enter(worker, 'ready', at), readyAt: at, admission: admissionAtReady(settings) },
  effects: [disarm('ready', worker), announce({ event: 'workerReady', ...change(worker, 'ready', at) })],
  verdict: { type: 'becameReady' },
});

const restartedItself: Row['workerRestartedItself'] = (worker, { at, failure }, settings) => ({
  worker: { ...worker, readyAt: at, admission: admissionAtReady(settings), adopts: false },
  effects: [
    ...disarmAdmit(worker),
    announce({ event: 'workerRestartedItself', ...identity(worker), failure }),
  ],
  verdict: { type: 'restartedItself', failure },
});

/** It is where it was before it became ready: its command has the ready timeout to start the program again. */
const lostProgram: Row['workerLostProgram'] = (worker, { at, failure }, settings) => ({
  worker: {
    ...enter(worker, 'starting', at),
    admission: 'notAsked',
    adopts: false,
    isPaused: false,
  },
  effects: [
    ...disarmAdmit(worker),
    { type: 'armTimer', key: { timer: 'ready', worker: worker.id }, delayMs: settings.readyTimeoutMs },
    announce({ event: 'workerLostProgram', ...identity(worker), failure }),
  ],
  verdict: { type: 'lostProgram', failure },
});

/** The program has drained, and the command that has started it lives on: a watcher, which would wait for a change. The drain timer stays. */
const endCommand: Row['workerLostProgram'] = (worker) => ({
  worker,
  effects: [{ type: 'endCommand', worker: worker.id }],
  verdict: null,
});

/** Its command has started the program again after it was gone for a while. */
const startedAgain: Row['workerRestartedItself'] = (worker, { at, failure }, settings) => ({
  worker: { ...enter(worker, 'ready', at), readyAt: at, admission: admissionAtReady(settings) },
  effects: [
    disarm('ready', worker),
    announce({ event: 'workerRestartedItself', ...identity(worker), failure }),
  ],
  verdict: { type: 'becameReady' },
});

/** What was told to go has gone; what came in its place was not asked for. */
const killRestarted: Row['workerRestartedItself'] = (worker, { at }) => killed(worker, at, 'restartedItself');

const admit: Row['admit'] = (worker, _input, settings) =>
  worker.admission === 'notAsked'
    ? {
        worker: { ...worker, admission: 'asked' },
        effects: [
          { type: 'admitWorker', worker: worker.id },
          {
            type: 'armTimer',
            key: { timer: 'admit', worker: worker.id },
            delayMs: settings.readyTimeoutMs,
          },
        ],
        verdict: null,
      }
    : { worker, effects: [], verdict: null };

const wasAdmitted: Row['workerAdmitted'] = (worker) =>
  worker.admission === 'asked'
    ? {
        worker: { ...worker, admission: 'confirmed' },
        effects: [disarm('admit', worker), announce({ event: 'workerAdmitted', ...identity(worker) })],
        verdict: { type: 'wasAdmitted' },
      }
    : { worker, effects: [], verdict: null };

const notAdmitted: Row['admissionFailed'] = (worker, { at, failure }) =>
  worker.admission === 'asked'
    ? {
        ...killed(worker, at, 'notAdmitted'),
        verdict: { type: 'failed', end: silentEnd(failure) },
      }
    : { worker, effects: [], verdict: null };

const pause: Row['pause'] = (worker) => ({
  worker: { ...worker, isPaused: true },
  effects: [
    { type: 'pauseWorker', worker: worker.id },
    announce({ event: 'workerPaused', ...identity(worker) }),
  ],
  verdict: null,
});

const resume: Row['resume'] = (worker) =>
  worker.isPaused
    ? {
        worker: { ...worker, isPaused: false },
        effects: [
          { type: 'resumeWorker', worker: worker.id },
          announce({ event: 'workerResumed', ...identity(worker) }),
        ],
        verdict: null,
      }
    : { worker, effects: [], verdict: null };

const cannotPause: Row['workerCannotPause'] = (worker) => ({
  worker: { ...worker, isPaused: false },
  effects: [],
  verdict: worker.isPaused ? { type: 'cannotPause' } : null,
});

/** It has no connection that it could keep. */
const killInsteadOfPause: Row['pause'] = (worker, { at }) => killed(worker, at, 'reload');

const beganToAdopt: Row['workerSaidItAdopts'] = (worker) => ({
  worker: { ...worker, adopts: true },
  effects: [],
  verdict: null,
});

const failedAndGone: Row['workerEnded'] = (worker, { at, end }) => ({
  worker: null,
  effects: [
    disarm('ready', worker),
    ...disarmAdmit(worker),
    announce({ event: 'workerFailed', ...change(worker, 'exited', at), failure: end.failure }),
  ],
  verdict: { type: 'failed', end },
});

const goneAsAsked: Row['workerEnded'] = (worker, { at, end }) => ({
  worker: null,
  effects: [
    disarm('drain', worker),
    disarm('kill', worker),
    announce({
      event: 'workerExited',
      ...change(worker, 'exited', at),
      outcome: end.outcome ?? { code: null, signal: null },
      served: end.served,
      migrated: end.migrated,
      cut: end.cut,
      cleanUpsCut: end.cleanUpsCut,
      failure: drainCrash(worker.phase, end),
    }),
  ],
  verdict: { type: 'gone' },
});

/** One that is paused has been replaced: its end is that of a worker that goes, though it was not asked to go yet. */
const endedWhileReady: Row['workerEnded'] = (worker, input, settings) =>
  worker.isPaused
    ? { ...goneAsAsked(worker, input, settings), verdict: { type: 'failed', end: input.end } }
    : failedAndGone(worker, input, settings);

const notReadyInTime: Row['readyTimedOut'] = (worker, { at, failure }) => ({
  ...killed(worker, at, 'notReady'),
  verdict: {
    type: 'failed',
    end: silentEnd(failure),
  },
});

const drain: Row['drain'] = (worker, { at, reason }, settings) => ({
  worker: enter(worker, 'draining', at),
  effects: [
    ...disarmAdmit(worker),
    announce({ event: 'workerDraining', ...change(worker, 'draining', at), reason }),
    {
      type: 'drainWorker',
      worker: worker.id,
      reason,
      timeoutMs: settings.drainTimeoutMs,
      migrates: settings.capabilities.migrates && reason !== 'stop' && reason !== 'masterGone',
    },
    { type: 'armTimer', key: { timer: 'drain', worker: worker.id }, delayMs: settings.drainTimeoutMs },
  ],
  verdict: null,
});

/** It has got a signal from elsewhere: as if it had been asked to drain, and its place is free. */
const leaves: Row['workerSaidItDrains'] = (worker, { at }, settings) => ({
  ...drain(worker, { type: 'drain', at, reason: 'signal' }, settings),
  verdict: { type: 'left' },
});

/** A worker that is not ready was never admitted, so it holds no connection: nothing to drain. */
const killInsteadOfDrain: Row['drain'] = (worker, { at, reason }) =>
  killed(worker, at, reason === 'masterGone' || reason === 'signal' ? 'stop' : reason);

const terminate: Row['drainTimedOut'] = (worker, { at }, settings) => ({
  worker: enter(worker, 'terminating', at),
  effects: [
    announce({ event: 'workerTerminated', ...change(worker, 'terminating', at) }),
    { type: 'signalGroup', worker: worker.id, signal: 'SIGTERM' },
    { type: 'armTimer', key: { timer: 'kill', worker: worker.id }, delayMs: settings.killDelayMs },
  ],
  verdict: null,
});

const killAtLast: Row['killTimedOut'] = (worker, { at }) => killed(worker, at, 'drainTimeout');

const kill: Row['kill'] = (worker, { at, reason }) => killed(worker, at, reason);

const table: { readonly [Phase in WorkerPhase]: Row } = {
  starting: {
    workerSpawned: spawned,
    workerSaidReady: becameReady,
    workerLostProgram: ignore,
    workerRestartedItself: startedAgain,
    workerCannotPause: ignore,
    workerAdmitted: ignore,
    admissionFailed: ignore,
    workerSaidItAdopts: ignore,
    workerSaidItDrains: ignore,
    workerEnded: failedAndGone,
    readyTimedOut: notReadyInTime,
    drainTimedOut: impossible,
    killTimedOut: impossible,
    pause: killInsteadOfPause,
    resume: ignore,
    admit: impossible,
    drain: killInsteadOfDrain,
    kill,
  },
  ready: {
    workerSpawned: impossible,
    workerSaidReady: ignore,
    workerLostProgram: lostProgram,
    workerRestartedItself: restartedItself,
    workerCannotPause: cannotPause,
    workerAdmitted: wasAdmitted,
    admissionFailed: notAdmitted,
    workerSaidItAdopts: beganToAdopt,
    workerSaidItDrains: leaves,
    workerEnded: endedWhileReady,
    readyTimedOut: ignore,
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
    workerSaidItAdopts: ignore,
    workerSaidItDrains: ignore,
    workerEnded: goneAsAsked,
    readyTimedOut: ignore,
    drainTimedOut: terminate,
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
    workerSaidItAdopts: ignore,
    workerSaidItDrains: ignore,
    workerEnded: goneAsAsked,
    readyTimedOut: ignore,
    drainTimedOut: ignore,
    killTimedOut: killAtLast,
    pause: ignore,
    resume: ignore,
    admit: ignore,
    drain: ignore,
    kill,
  },
  killing: {
    // Killed by an event that was waiting when the process came to be.
    workerSpawned: (worker, { pid }) => ({
      worker: { ...worker, pid },
      effects: [{ type: 'signalGroup', worker: worker.id, signal: 'SIGKILL' }],
      verdict: null,
    }),
    workerSaidReady: ignore,
    workerLostProgram: ignore,
    workerRestartedItself: ignore,
    workerCannotPause: ignore,
    workerAdmitted: ignore,
    admissionFailed: ignore,
    workerSaidItAdopts: ignore,
    workerSaidItDrains: ignore,
    workerEnded: goneAsAsked,
    readyTimedOut: ignore,
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

/** The phases x inputs that the table calls impossible: for the tests and the generated diagram. */
export function isImpossible(phase: WorkerPhase, type: WorkerTableInput['type']): boolean {
  return table[phase][type] === impossible;
}

function killed(worker: Worker, at: number, reason: KillReason): WorkerStep {
  return {
    worker: enter(worker, 'killing', at),
    effects: [
      disarm('ready', worker),
      ...disarmAdmit(worker),
      disarm('drain', worker),
      disarm('kill', worker),
      announce({ event: 'workerKilled', ...change(worker, 'killing', at), reason }),
      { type: 'signalGroup', worker: worker.id, signal: 'SIGKILL' },
    ],
    verdict: null,
  };
}

/** A worker without a gate accepts from the moment it listens. */
function admissionAtReady({ capabilities }: LifecycleSettings): Worker['admission'] {
  return capabilities.isGated ? 'notAsked' : 'confirmed';
}

function enter(worker: Worker, phase: WorkerPhase, at: number): Worker {
  return { ...worker, phase, phaseSince: at };
}

function identity({ generation, slot, pid }: Worker): Pick<Worker, 'generation' | 'slot' | 'pid'> {
  return { generation, slot, pid };
}

function change<To extends WorkerPhase | 'exited'>(
  worker: Worker,
  to: To,
  at: number,
): { generation: number; slot: number; pid: number | null; from: WorkerPhase; to: To; durationMs: number } {
  return { ...identity(worker), from: worker.phase, to, durationMs: at - worker.phaseSince };
}

function announce(event: MasterEvent): Effect {
  return { type: 'announce', event };
}

function disarm(timer: 'ready' | 'admit' | 'drain' | 'kill', worker: Worker): Effect {
  return { type: 'disarmTimer', key: { timer, worker: worker.id } };
}

function disarmAdmit(worker: Worker): readonly Effect[] {
  return worker.admission === 'asked' ? [disarm('admit', worker)] : [];
}
