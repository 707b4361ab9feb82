/**
 * Knows which process of a worker serves. Under a shell, it is not the one that was started; and a script may run several programs, one after the other. The
 * serving process gets the drain signal. If it ends and no other one follows, a server has lost its program.
 */
import type { ProgramPlan } from '../config/plan.ts';
import type { Platform } from '../process/platform.ts';
import type { LifecycleInput, Undated } from './lifecycle/inputs.ts';
import { failureContext, type RunningWorker } from './running-worker.ts';
import type { Versions } from './versions.ts';
import { lostFailure } from './worker-failures.ts';

export interface ServingProcessParts {
  readonly platform: Pick<
    Platform,
    'arm' | 'belongsToWorker' | 'findServing' | 'isShell' | 'signalProcess' | 'watchProcess'
  >;
  readonly versions: Versions;
  readonly dispatch: (input: Undated<LifecycleInput>) => void;
}

export interface ServingProcess {
  /** Chooses the process when the worker becomes ready. Returns false if there are only shells and wrappers, which may start the program later. */
  choose(worker: RunningWorker): boolean;
  /** Notes that this process serves, and watches it. */
  note(worker: RunningWorker, pid: number): void;
  /** Looks for the program later, if it is a server: a script may prepare something, without another process, for longer than it has to run to count as ready. */
  findLater(worker: RunningWorker): void;
  /** Looks once more for the program that a script may have started after it was ready: that program is to be told to drain or to end. */
  find(worker: RunningWorker): void;
}

/** The pause before the first search for a program that a script has not started yet. Each pause is twice as long as the one before. */
const firstLookMs = 200;

/** After the first pause that is at least this long, there are no more searches. */
const longestLookMs = 30_000;

/** How long a command may take to end after the program that it has started has ended. */
const commandPatienceMs = 500;

/** How many searches in a row may find nothing before the program counts as lost. */
const patiences = 2;

export function createServingProcess({ platform, versions, dispatch }: ServingProcessParts): ServingProcess {
  function planOf({ generation }: RunningWorker): ProgramPlan {
    return versions.of(generation).plan;
  }

  function isServer(worker: RunningWorker): boolean {
    return planOf(worker).kind.type === 'server';
  }

  function choose(worker: RunningWorker): boolean {
    const { pid } = worker.process;
    // The process that a pid file names is known.
    const isKnown = worker.process.signal !== undefined;
    const serving = isKnown ? pid : (worker.mainPid ?? platform.findServing(pid));
    note(worker, serving ?? pid);
    return serving !== null;
  }

  function note(worker: RunningWorker, pid: number): void {
    worker.unwatch?.();
    worker.unwatch = null;
    worker.servingPid = pid;
    worker.process.noteServing(
      pid,
      worker.drainSignal,
      worker.toldBy === null ? { afterMs: orphanedMs(planOf(worker)), isServer: isServer(worker) } : null,
    );
    if (pid === worker.process.pid) return;
    worker.unwatch = platform.watchProcess(pid, () => {
      if (worker.toldBy === null || isServer(worker)) findNext(worker, pid, patiences);
      else endScript(worker, worker.toldBy);
    });
  }

  function findLater(worker: RunningWorker, afterMs = firstLookMs): void {
    if (!isServer(worker)) return;
    worker.unwatch = platform.arm(afterMs, () => {
      find(worker);
      if (worker.servingPid === worker.process.pid && afterMs < longestLookMs) findLater(worker, afterMs * 2);
    });
  }

  function find(worker: RunningWorker): void {
    const { pid } = worker.process;
    if (!worker.wasReady || worker.ownPid !== null) return;
    const known = worker.servingPid;
    // A worker that has named its process by MAINPID knows better.
    if (worker.mainPid !== null && platform.belongsToWorker(known, pid)) return;
    // The process that was found may have been a tool or a helper of a script, which has executed the server since.
    const serving = platform.findServing(pid, known);
    if (serving !== null && serving !== known) note(worker, serving);
  }

  /**
   * Tells a script to end after its present job was told to, and has ended. A script that runs one job after the other continues until it gets the signal
   * itself.
   */
  function endScript(worker: RunningWorker, signal: NodeJS.Signals): void {
    const { pid } = worker.process;
    if (!platform.isShell(pid)) return;
    platform.signalProcess(pid, signal);
    // A trap of the script runs only when the job has ended that the script has begun in the meantime.
    note(worker, pid);
    find(worker);
    if (worker.servingPid !== pid) platform.signalProcess(worker.servingPid, signal);
  }

  /**
   * Looks for the next program after a while. Mostly the command ends because its program has, and then that is reported. A script may be between two of
   * its commands.
   */
  function findNext(worker: RunningWorker, before: number, left: number): void {
    worker.unwatch = platform.arm(commandPatienceMs, () => {
      const next = platform.findServing(worker.process.pid);
      if (next !== null) note(worker, next);
      else if (left > 1) findNext(worker, before, left - 1);
      else lose(worker, before);
    });
  }

  /** Handles a command that keeps running without a program. Nothing tells when it starts another one, so this counts as the end of the program. */
  function lose(worker: RunningWorker, pid: number): void {
    // A program without an address may do one job after the other: only the life of the command counts.
    if (!isServer(worker)) {
      note(worker, worker.process.pid);
      return;
    }
    const failure = lostFailure(pid, failureContext(worker, versions.of(worker.generation).listeners));
    dispatch({ type: 'workerLostProgram', worker: worker.id, failure });
    dispatch({ type: 'workerNotReady', worker: worker.id, failure, mayAccept: false });
  }

  return {
    choose,
    note,
    findLater: (worker) => {
      findLater(worker);
    },
    find,
  };
}

/** How long the program works on if this process is killed. A job may finish. A second worker without an address might do the same work twice. */
function orphanedMs({ kind, rescueMs, drainTimeoutMs }: ProgramPlan): number {
  if (kind.type === 'server') return rescueMs;
  return kind.type === 'worker' ? 0 : drainTimeoutMs;
}
