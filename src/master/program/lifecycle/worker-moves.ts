/**
 * How one worker comes to serve, cell by cell: started, ready, admitted, paused and resumed. Each function takes a worker and an input, and returns the
 * worker as it is afterwards, the effects, and what the program has to know. The cells are chosen by worker-table.ts. Pure.
 */
import { silentEnd } from './inputs.ts';
import { noCapabilities, type Capabilities, type Worker } from './state.ts';
import {
  announce,
  change,
  disarm,
  disarmAdmit,
  enter,
  type Handler,
  identity,
  killed,
  type Row,
  type WorkerTableInput,
} from './worker-step.ts';
import { drainInsteadOfPause } from './worker-endings.ts';

/** For an input that can happen and changes nothing: a stale timer, or a repeated message of a worker that is about to end. */
export const ignore: Handler<WorkerTableInput> = (worker) => ({ worker, effects: [], verdict: null });

/** For an input that cannot happen while the invariants hold. The worker stays as it is, and the bug is reported. */
export const impossible: Handler<WorkerTableInput> = (worker, { type }) => ({
  worker,
  effects: [announce({ event: 'internalError', problem: `${type} for a worker that is ${worker.phase}` })],
  verdict: null,
});

export const spawned: Row['workerSpawned'] = (worker, { pid, isGated }) => {
  const born: Worker = { ...worker, pid, capabilities: { ...noCapabilities, isGated } };
  return {
    worker: born,
    effects: [
      announce({ event: 'workerStarted', ...identity(born), from: null, to: born.phase, durationMs: 0 }),
    ],
    verdict: null,
  };
};

export const becameReady: Row['workerSaidReady'] = (worker, { at, capabilities }) => ({
  worker: {
    ...enter(worker, 'ready', at),
    readyAt: at,
    capabilities,
    admission: admissionAtReady(capabilities),
  },
  effects: [disarm('ready', worker), announce({ event: 'workerReady', ...change(worker, 'ready', at) })],
  verdict: { type: 'workerBecameReady' },
});

/** For a worker that seemed to be another program: its Node.js process, whose own gate is closed, has started only now, and is to be admitted. */
export const provedGated: Row['workerSaidReady'] = (worker, { capabilities }) =>
  capabilities.reports && !worker.capabilities.reports
    ? {
        worker: { ...worker, capabilities, admission: 'notAsked' },
        effects: disarmAdmit(worker),
        verdict: { type: 'workerBecameReady' },
      }
    : { worker, effects: [], verdict: null };

export const restartedItself: Row['workerRestartedItself'] = (worker, { at, failure, capabilities }) => ({
  worker: {
    ...worker,
    readyAt: at,
    capabilities,
    admission: admissionAtReady(capabilities),
    takesConnections: false,
    isHung: false,
  },
  effects: [
    ...disarmAdmit(worker),
    announce({ event: 'workerRestartedItself', ...identity(worker), failure }),
  ],
  verdict: { type: 'workerProgramRestarted', failure },
});

/** For a worker whose program is gone: it is again as it was before it became ready. Its command has the ready timeout to start the program again. */
export const lostProgram: Row['workerLostProgram'] = (worker, { at, failure }, settings) => ({
  worker: {
    ...enter(worker, 'starting', at),
    admission: 'notAsked',
    takesConnections: false,
    isPaused: false,
    isHung: false,
  },
  effects: [
    ...disarmAdmit(worker),
    { type: 'armTimer', key: { timer: 'ready', worker: worker.id }, delayMs: settings.readyTimeoutMs },
    announce({ event: 'workerLostProgram', ...identity(worker), failure }),
  ],
  verdict: { type: 'workerProgramEnded', failure },
});

/** For a worker whose command has started the program again after it was gone for a while. */
export const startedAgain: Row['workerRestartedItself'] = (worker, { at, failure, capabilities }) => ({
  worker: {
    ...enter(worker, 'ready', at),
    readyAt: at,
    capabilities,
    admission: admissionAtReady(capabilities),
  },
  effects: [
    disarm('ready', worker),
    announce({ event: 'workerRestartedItself', ...identity(worker), failure }),
  ],
  verdict: { type: 'workerBecameReady' },
});

export const admit: Row['admit'] = (worker, _input, settings) =>
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

export const wasAdmitted: Row['workerAdmitted'] = (worker) =>
  worker.admission === 'asked'
    ? {
        worker: { ...worker, admission: 'confirmed' },
        effects: [disarm('admit', worker), announce({ event: 'workerAdmitted', ...identity(worker) })],
        verdict: { type: 'workerWasAdmitted' },
      }
    : { worker, effects: [], verdict: null };

export const notAdmitted: Row['admissionFailed'] = (worker, { at, failure }) =>
  worker.admission === 'asked'
    ? {
        ...killed(worker, at, 'notAdmitted'),
        verdict: { type: 'workerFailed', end: silentEnd(failure) },
      }
    : { worker, effects: [], verdict: null };

export const pause: Row['pause'] = (worker, input, settings) => {
  if (worker.isPaused) return { worker, effects: [], verdict: null };
  if (!worker.capabilities.isGated) return drainInsteadOfPause(worker, input, settings);
  return {
    worker: { ...worker, isPaused: true },
    effects: [
      { type: 'pauseWorker', worker: worker.id },
      announce({ event: 'workerPaused', ...identity(worker) }),
    ],
    verdict: null,
  };
};

export const resume: Row['resume'] = (worker) =>
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

export const cannotPause: Row['workerCannotPause'] = (worker) => ({
  worker: { ...worker, isPaused: false },
  effects: [],
  verdict: worker.isPaused ? { type: 'workerStillAccepts' } : null,
});

export const takesConnections: Row['workerTakesConnections'] = (worker) => ({
  worker: { ...worker, takesConnections: true },
  effects: [],
  verdict: null,
});

/** For a pid file that names another process. In every phase, even while the worker ends, its end is that of the process that is the worker then. */
export const adopted: Row['workerAdopted'] = (worker, { pid, how }) => ({
  worker: { ...worker, pid },
  effects: [announce({ event: 'workerAdopted', ...identity({ ...worker, pid }), before: worker.pid, how })],
  verdict: null,
});

export const foundHung: Row['workerHung'] = (worker, { cause }) => ({
  worker: { ...worker, isHung: true },
  effects: [],
  verdict: { type: 'workerFoundHung', cause },
});

export const cameBack: Row['workerAlive'] = (worker) => ({
  worker: { ...worker, isHung: false },
  effects: [],
  verdict: worker.isHung ? { type: 'workerCameBack' } : null,
});

/** The admission of a worker that becomes ready. One without a gate accepts from the moment it listens. */
function admissionAtReady({ isGated }: Capabilities): Worker['admission'] {
  return isGated ? 'notAsked' : 'confirmed';
}
