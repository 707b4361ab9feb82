/** The processes of a program's workers: starts them, reads what they write, and tells the lifecycle how they end. */
import type { MasterEvent, Outcome } from '../../shared/events.ts';
import { createStderrTail, type StderrTail } from '../output/stderr-tail.ts';
import type { UnendedLines, WorkerOutput } from '../output/program-output.ts';
import type { ProcessRecord } from '../handover/record.ts';
import type {
  AdoptedHow,
  NotifySocket,
  Platform,
  ProcessListeners,
  SpawnRequest,
} from '../process/platform.ts';
import { silentEnd, type Effect, type LifecycleInput, type Undated } from './lifecycle/inputs.ts';
import { createAcceptWait } from './accept-wait.ts';
import { failureContext, identity, type RunningWorker } from './running-worker.ts';
import { exitFailure, isNotInherited, notInheritedFailure, notStartedFailure } from './worker-failures.ts';
import type { Versions } from './versions.ts';
import type { BoundListener } from '../sockets/listener.ts';
import type { ReadinessJudge, Started } from './readiness-judge.ts';
import type { MessageHandler } from './worker-messages.ts';
import {
  assignQueue,
  isDirected,
  type AssignedQueue,
  type NewWorker,
  type WorkerQueues,
} from './worker-queues.ts';

export interface WorkerProcessParts {
  readonly platform: Platform;
  readonly versions: Versions;
  /** The path of the preload, which every Node.js worker loads. */
  readonly preload: string;
  /**
   * Looks up command, working directory and environment as they are at this moment. `inheritedBy`: returns the sockets that the worker inherits. Throws
   * GracefulRunError if they do not make a command.
   */
  readonly prepare: (worker: { generation: number; slot: number }, inheritedBy: InheritedBy) => SpawnRequest;
  readonly messages: MessageHandler;
  readonly readiness: ReadinessJudge;
  readonly dispatch: (input: Undated<LifecycleInput>) => void;
  /** Opens the log files of a worker; `unended`: of one that runs already. Errors: `logFileUnusable`. */
  readonly openOutput: (worker: { generation: number; slot: number }, unended?: UnendedLines) => WorkerOutput;
  readonly onEvent: (event: MasterEvent) => void;
  /** Called when a worker has ended, before the lifecycle is told. */
  readonly onEnd: (worker: RunningWorker) => void;
}

export interface WorkerProcesses {
  /** Starts a process for this worker. The outcome reaches the lifecycle as an input. */
  start(worker: Extract<Effect, { type: 'startWorker' }>): void;
  /** Takes over the process of a worker from the previous image of this process. Errors: `upgradeFailed`, `logFileUnusable`. */
  resume(worker: ProcessRecord, place: { readonly generation: number; readonly slot: number }): RunningWorker;
  /** Has to be called when all workers were taken over. */
  allResumed(): void;
  /** Has to be called when a worker has become ready, before connections are directed to it. */
  becameReady(worker: number): void;
  get(id: number): RunningWorker | undefined;
  all(): readonly RunningWorker[];
  readonly queues: WorkerQueues;
}

type InheritedBy = (isNode: boolean) => readonly BoundListener[];

const noQueue: AssignedQueue = { queue: 0, hasOwnQueue: false, isClosed: false };
const noNotifySocket: NotifySocket = { fd: null, close: () => undefined };
const nothingReported = { served: null, migrated: null, drained: null, cut: null };

export function createWorkerProcesses(parts: WorkerProcessParts): WorkerProcesses {
  const { platform, versions, messages, readiness, dispatch } = parts;
  const running = new Map<number, RunningWorker>();
  let hasOwnQueues = false;
  const acceptWait = createAcceptWait(platform);

  function start({ worker: id, generation, slot, queue }: Extract<Effect, { type: 'startWorker' }>): void {
    const tail = createStderrTail();
    let worker: RunningWorker | null = null;
    let notifySocket = noNotifySocket;
    let closeOutput = (): void => undefined;
    const failed = (error: unknown): void => {
      closeOutput();
      dispatch({ type: 'workerEnded', worker: id, end: silentEnd(notStartedFailure(error)) });
    };
    // Only code that runs at once may use the request: a closure that keeps it would keep its environment in memory.
    const started = attempt(() => {
      let place = noQueue;
      const request = parts.prepare({ generation, slot }, (isNode) => {
        place = queueFor(generation, { isNode, slot, wanted: queue });
        return versions.listenersOf({ generation, queue: place.queue });
      });
      acceptWait.beforeStart(request.listeners);
      const { notifyPath, uid, isNode, cwd, probe } = request;
      if (notifyPath !== null)
        notifySocket = platform.openNotifySocket(notifyPath, uid, (bytes) => {
          if (worker !== null) readiness.notified(worker, bytes);
        });
      const own = parts.openOutput({ generation, slot });
      closeOutput = () => {
        own.ended('stdout');
        own.ended('stderr');
      };
      const spawned = platform.spawn(
        { ...request, stdout: own.stdout },
        {
          ...listenersOf(() => worker, own, tail),
          adopted: (pid, how) => {
            if (worker !== null) adopted(worker, { isNode, cwd, probe }, pid, how);
          },
          failed,
        },
      );
      return { request, place, process: spawned, output: own };
    });
    if (started instanceof Error) {
      notifySocket.close();
      failed(started);
      return;
    }
    const { request, place, process, output } = started;
    hasOwnQueues = place.hasOwnQueue;
    if (process === null) notifySocket.close();
    else {
      worker = {
        id,
        generation,
        slot,
        queue: place.queue,
        hasOwnQueue: place.hasOwnQueue,
        process,
        drainSignal: request.drainSignal,
        isNode: request.isNode,
        mark: request.mark,
        tree: request.tree,
        notifyPath: request.notifyPath,
        tail,
        servingPid: process.pid,
        ownPid: null,
        wasReady: false,
        isToldToEnd: false,
        toldBy: null,
        isPausedBriefly: false,
        isProven: false,
        hasNotified: false,
        feedsWatchdog: false,
        hasHeartbeat: false,
        notifySocket,
        mainPid: null,
        watchdog: null,
        hasOfferedDescriptors: false,
        hadNode: false,
        looking: [],
        unwatch: null,
        unguardExit: new Map(),
        hungExitCode: null,
        said: { status: null, errno: null },
        notReadyYet: null,
        health: null,
        undeclared: [],
        withoutPreload: null,
        rejected: 0,
        cleanUpsCut: 0,
        output,
        outliveMs: request.outliveMs,
        pidFile: request.pidFile ?? null,
        report: null,
      };
      running.set(id, worker);
      acceptWait.started(worker, request.listeners);
      output.started(process);
      const isGated = request.isNode || place.isClosed;
      dispatch({ type: 'workerSpawned', worker: id, pid: process.pid, isGated });
      if (request.pidFile == null) readiness.begin(worker, request);
    }
  }

  /** What the process of a worker reports. `worker`: null until it runs. */
  function listenersOf(
    worker: () => RunningWorker | null,
    output: WorkerOutput,
    tail: StderrTail,
  ): Omit<ProcessListeners, 'failed'> {
    const ifKnown = (act: (known: RunningWorker) => void): void => {
      const known = worker();
      if (known !== null) act(known);
    };
    return {
      message: (raw) => {
        ifKnown((known) => {
          messages.message(known, raw);
        });
      },
      garbage: () => {
        ifKnown((known) => {
          messages.garbage(known);
        });
      },
      stderr: (bytes) => {
        tail.add(bytes);
        output.write('stderr', bytes);
        failIfNotInherited(worker());
        lookForPreload(worker(), bytes);
      },
      stdout: (bytes) => {
        output.write('stdout', bytes);
      },
      streamEnded: (stream) => {
        output.ended(stream);
      },
      problem: (problem) => {
        ifKnown((known) => {
          readiness.notReadyYet(known, problem);
        });
      },
      newline: () => {
        ifKnown((known) => {
          readiness.gaveSign(known, 'writesNewline');
        });
      },
      exit: (outcome) => {
        output.exited();
        ifKnown((known) => {
          ended(known, outcomeOf(known, outcome));
        });
      },
    };
  }

  function resume(
    record: ProcessRecord,
    { generation, slot }: { readonly generation: number; readonly slot: number },
  ): RunningWorker {
    const { id, pid, notifyPath, notifyFd, descriptors, stderrTail, output: unended, ...known } = record;
    const tail = createStderrTail();
    if (stderrTail.length > 0) tail.add(Buffer.from(`${stderrTail.join('\n')}\n`));
    let worker: RunningWorker | null = null;
    const output = parts.openOutput({ generation, slot }, unended);
    const notifySocket =
      notifyPath === null || notifyFd === null
        ? noNotifySocket
        : platform.inheritNotifySocket(notifyPath, notifyFd, (bytes) => {
            if (worker !== null) readiness.notified(worker, bytes);
          });
    const process = platform.inherit(
      { ...known, pid, descriptors },
      {
        ...listenersOf(() => worker, output, tail),
        adopted: (next, how) => {
          if (worker !== null) adopted(worker, { isNode: false, cwd: '', probe: null }, next, how);
        },
        failed: () => undefined,
      },
    );
    // Only a process that is to be started could not be had.
    if (process === null) throw new Error('a worker that runs was not taken over');
    worker = {
      ...known,
      id,
      generation,
      slot,
      process,
      tail,
      output,
      notifyPath,
      notifySocket,
      undeclared: [...known.undeclared],
      looking: [],
      unwatch: null,
      unguardExit: new Map(),
    };
    running.set(id, worker);
    acceptWait.started(worker, versions.listenersOf(worker));
    hasOwnQueues ||= worker.hasOwnQueue;
    output.started(process);
    messages.resumed(worker);
    readiness.resumed(worker);
    return worker;
  }

  function queueFor(
    generation: number,
    worker: Pick<NewWorker, 'isNode' | 'slot' | 'wanted'>,
  ): AssignedQueue {
    const { listeners } = versions.of(generation);
    const serving = [...running.values()].filter(({ wasReady, isToldToEnd }) => wasReady && !isToldToEnd);
    // A worker that leaves while connections still come to its queue has no successor yet: this is it.
    const others = [...running.values()].filter(
      (one) => !one.isToldToEnd || !isDirected(listeners, one.queue),
    );
    return assignQueue(
      listeners,
      {
        ...worker,
        isCandidate: serving.some((one) => one.generation < generation),
        isServed: serving.length > 0,
      },
      new Set(others.map((one) => one.queue)),
      new Set(others.filter(({ hasOwnQueue }) => hasOwnQueue).map((one) => one.queue)),
    );
  }

  /** Notes which process is the daemon: only from now on is there a process that can become ready. */
  function adopted(worker: RunningWorker, started: Started, pid: number, how: AdoptedHow): void {
    worker.servingPid = pid;
    dispatch({ type: 'workerAdopted', worker: worker.id, pid, how });
    if (how !== 'changed') readiness.begin(worker, started);
  }

  function ended(worker: RunningWorker, outcome: Outcome): void {
    const { id, report, cleanUpsCut } = worker;
    running.delete(id);
    acceptWait.ended(worker);
    worker.unwatch?.();
    for (const unguard of worker.unguardExit.values()) unguard();
    readiness.end(worker);
    worker.notifySocket.close();
    lookForStrays(worker, outcome);
    parts.onEnd(worker);
    const failure = exitFailure(outcome, failureContext(worker, versions.of(worker.generation).listeners));
    const { served, migrated, drained, cut } = report ?? nothingReported;
    const end = { outcome, failure, served, migrated, drained, cut, cleanUpsCut };
    dispatch({ type: 'workerEnded', worker: id, end });
  }

  /**
   * Looks for processes that have outlived the worker in sessions of their own. One that holds a listener may accept. It is killed if the worker was never
   * ready, or has exited by itself without an error, as a program does that puts itself into the background. Otherwise it may be a helper that has only
   * inherited the listener, and is left running.
   */
  function lookForStrays(worker: RunningWorker, { code }: Outcome): void {
    if (worker.ownPid !== null || worker.isNode) return;
    const pids = platform.findStrays(
      worker.mark,
      versions.listenersOf(worker).map(({ fd }) => fd),
    );
    if (pids.length === 0) return;
    const isKilled = !worker.wasReady || (code === 0 && !worker.isToldToEnd);
    if (isKilled) for (const pid of pids) platform.killTree(pid);
    parts.onEvent({ event: 'listenerKept', ...identity(worker), pids, killed: isKilled });
  }

  /** Fails a worker whose program did not inherit the listener. A wrapper such as `node --watch` keeps running when the process that it started has failed. */
  function failIfNotInherited(worker: RunningWorker | null): void {
    if (worker === null || worker.wasReady || !isNotInherited(worker.tail.lines())) return;
    const failure = notInheritedFailure(failureContext(worker, versions.of(worker.generation).listeners));
    // A program without the listener cannot have accepted a connection.
    dispatch({ type: 'workerNotReady', worker: worker.id, failure, mayAccept: false });
  }

  /**
   * Looks for a Node.js process without the preload. A program that cannot bind exits a moment after it has said so, and then there is no process to
   * examine.
   */
  function lookForPreload(worker: RunningWorker | null, bytes: Uint8Array): void {
    if (worker === null || worker.wasReady || worker.withoutPreload !== null) return;
    if (!Buffer.from(bytes).includes('EADDRINUSE')) return;
    worker.withoutPreload = platform.findWithoutPreload(worker.process.pid, parts.preload);
  }

  return {
    start,
    resume,
    allResumed: () => {
      acceptWait.resumed();
    },
    becameReady: (id) => {
      const worker = running.get(id);
      if (worker !== undefined) acceptWait.ready(worker);
    },
    get: (id) => running.get(id),
    all: () => [...running.values()],
    queues: { of: (id) => running.get(id)?.queue ?? null, areOwn: () => hasOwnQueues },
  };
}

/** The outcome of a worker. One that was killed because its exit hung has the exit code that it was about to exit with. */
function outcomeOf({ hungExitCode }: RunningWorker, outcome: Outcome): Outcome {
  if (hungExitCode === null || outcome.signal !== 'SIGKILL') return outcome;
  return { code: hungExitCode, signal: null };
}

/** Returns the result of `action`, or the error that it throws. */
function attempt<Result>(action: () => Result): Result | Error {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
