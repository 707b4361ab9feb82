/**
 * How one worker ends, cell by cell: told to drain, killed, exited. The cells are chosen by worker-table.ts; deadlines.ts handles a worker whose time has
 * passed. Pure.
 */
import { describeOutcome } from '../../../shared/describe-failure.ts';
import type { Failure, WorkerPhase } from '../../../shared/events.ts';
import { endingSteps } from './deadlines.ts';
import { type Effect, silentEnd, type WorkerEnd } from './inputs.ts';
import { isExpectedEnd } from './restart-policy.ts';
import type { Worker } from './state.ts';
import { announce, change, disarm, disarmAdmit, enter, killed, type Row } from './worker-step.ts';

export const drain: Row['drain'] = (worker, { at, reason }, settings) => {
  const ending = endingSteps(worker, reason, settings);
  const [first] = ending;
  if (first === undefined) return killed(worker, at, 'stop');
  return {
    worker: { ...enter(worker, 'draining', at), ending },
    effects: [
      ...(worker.phase === 'starting' ? [disarm('ready', worker)] : []),
      ...disarmAdmit(worker),
      announce({ event: 'workerDraining', ...change(worker, 'draining', at), reason }),
      {
        type: 'drainWorker',
        worker: worker.id,
        reason,
        signal: first.signal,
        timeoutMs: first.waitMs,
        migrates:
          worker.capabilities.migrates && !worker.isHung && reason !== 'stop' && reason !== 'masterGone',
      },
      { type: 'armTimer', key: { timer: 'drain', worker: worker.id }, delayMs: first.waitMs },
    ],
    verdict: null,
  };
};

/** For a worker that has got a signal from elsewhere: it drains as if it had been told to, and its place is free. */
export const leaves: Row['workerSaidItDrains'] = (worker, { at }, settings) => ({
  ...drain(worker, { type: 'drain', at, reason: 'signal' }, settings),
  verdict: { type: 'workerLeft' },
});

/** For the order to drain before the worker is ready. A gated one was never admitted, so it holds no connection, and there is nothing to drain. */
export const drainIfItAccepts: Row['drain'] = (worker, input, settings) => {
  const { at, reason } = input;
  return worker.capabilities.isGated
    ? killed(worker, at, reason === 'masterGone' || reason === 'signal' ? 'stop' : reason)
    : drain(worker, input, settings);
};

/** For the order to pause, to a worker that accepts whatever it is told. */
export const drainInsteadOfPause: Row['pause'] = (worker, { at }, settings) =>
  drain(worker, { type: 'drain', at, reason: 'reload' }, settings);

/** For the order to pause before the worker is ready: it has no connection to keep, or accepts whatever it is told. */
export const pauseBeforeReady: Row['pause'] = (worker, { at }, settings) =>
  drainIfItAccepts(worker, { type: 'drain', at, reason: 'reload' }, settings);

/** For a program that has drained and ended, while its command keeps running: a watcher, which would wait for a change. The drain timer stays. */
export const endCommand: Row['workerLostProgram'] = (worker) => ({
  worker,
  effects: [{ type: 'endCommand', worker: worker.id }],
  verdict: null,
});

export const kill: Row['kill'] = (worker, { at, reason }) => killed(worker, at, reason);

/** For a process that has taken the place of one that was told to end: it is not wanted. */
export const killRestarted: Row['workerRestartedItself'] = (worker, { at }) =>
  killed(worker, at, 'restartedItself');

/** For a worker that was killed by an input which waited in the queue when its process was created. */
export const killedBeforeItsBirth: Row['workerSpawned'] = (worker, { pid }) => ({
  worker: { ...worker, pid },
  effects: [{ type: 'signalGroup', worker: worker.id, signal: 'SIGKILL' }],
  verdict: null,
});

export const notReadyInTime: Row['workerNotReady'] = (worker, { at, failure, mayAccept }, settings) => ({
  ...(worker.capabilities.isGated || !mayAccept
    ? killed(worker, at, 'notReady')
    : drain(worker, { type: 'drain', at, reason: 'rollback' }, settings)),
  verdict: {
    type: 'workerFailed',
    end: silentEnd(failure),
  },
});

export const failedAndGone: Row['workerEnded'] = (worker, { at, end }) => ({
  worker: null,
  effects: [
    disarm('ready', worker),
    ...disarmAdmit(worker),
    announce({ event: 'workerFailed', ...change(worker, 'exited', at), failure: end.failure }),
  ],
  verdict: { type: 'workerFailed', end },
});

export const goneAsAsked: Row['workerEnded'] = (worker, { at, end }) => ({
  worker: null,
  effects: [
    disarm('drain', worker),
    disarm('kill', worker),
    exited(worker, at, end, worker.isHung ? null : drainCrash(worker.phase, end)),
  ],
  verdict: { type: 'workerGone', end },
});

/** For the end of a ready worker. A paused one has been replaced, so its end counts as that of a draining worker, although it was not told to drain yet. */
export const endedWhileReady: Row['workerEnded'] = (worker, input, settings) => {
  const { at, end } = input;
  if (worker.isPaused)
    return { ...goneAsAsked(worker, input, settings), verdict: { type: 'workerFailed', end } };
  if (!isExpectedEnd(settings.restart, end.outcome)) return failedAndGone(worker, input, settings);
  return {
    worker: null,
    effects: [...disarmAdmit(worker), exited(worker, at, end, null)],
    verdict: { type: 'workerFailed', end },
  };
};

function exited(worker: Worker, at: number, end: WorkerEnd, failure: Failure | null): Effect {
  return announce({
    event: 'workerExited',
    ...change(worker, 'exited', at),
    outcome: end.outcome ?? { code: null, signal: null },
    served: end.served,
    migrated: end.migrated,
    drained: end.drained,
    cut: end.cut,
    cleanUpsCut: end.cleanUpsCut,
    failure,
  });
}

/** Signals that a draining worker gets only if something is wrong: from the kernel, or from its own abort(3). */
const fatalSignals: ReadonlySet<string | null> = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGKILL',
  'SIGSEGV',
  'SIGTRAP',
]);

/**
 * The failure of a worker that ended while it drained; null if it ended as requested, either by the signal that it was sent, or with the code of a shell
 * for that signal (128 and more).
 */
export function drainCrash(from: WorkerPhase, { outcome, failure }: WorkerEnd): Failure | null {
  if (outcome === null || (from !== 'draining' && from !== 'ready')) return null;
  const { code, signal } = outcome;
  const isCrash = code === null ? fatalSignals.has(signal) : code > 0 && code < 128;
  if (!isCrash) return null;
  return { ...failure, message: `the worker ended with ${describeOutcome(outcome)} while it drained` };
}
