/**
 * Runs one program: feeds the lifecycle with what happens (inputs) and has carried out what it decides (effects). One input is handled to
 * its end before the next one: an effect that causes an input puts it into the queue.
 */
import { formatDuration } from '../../shared/durations.ts';
import type { EventWithoutRelease, MasterEvent } from '../../shared/events.ts';
import type { OpenCounts, WorkerLoad } from '../../shared/protocol.ts';
import type { OwnRecord, ProcessRecord, TimerRecord } from '../handover/record.ts';
import type { Platform } from '../process/platform.ts';
import {
  silentEnd,
  type LifecycleInput,
  type ProgramInput,
  type WorkerInput,
  type TimerKey,
  type Undated,
} from './lifecycle/inputs.ts';
import type { Program } from './lifecycle/state.ts';
import { step } from './lifecycle/step.ts';
import { createOpenCounts } from './open-counts.ts';
import { askOwnSocket } from './ask-own-socket.ts';
import { createPerformer } from './perform.ts';
import type { Notification } from '../process/notify-message.ts';
import { failureContext, recordOf, type RunningWorker } from './running-worker.ts';
import { createReadinessJudge } from './readiness-judge.ts';
import { createStartGate, type Preparation } from './start-gate.ts';
import { createTimers } from './timers.ts';
import { notReadyFailure } from './not-ready-failure.ts';
import { notAdmittedFailure, notStartedFailure } from './worker-failures.ts';
import { createMessageHandler } from './worker-messages.ts';
import type { Versions } from './versions.ts';
import { createWorkerLoads, type Served } from './worker-loads.ts';
import { createWorkerProcesses, type WorkerProcessParts } from './worker-processes.ts';

export interface RunnerOptions extends Pick<WorkerProcessParts, 'preload' | 'prepare' | 'openOutput'> {
  /** What has to be done before the workers of a generation are started; null if nothing has to. */
  readonly prepareGeneration: (generation: number) => Preparation | null;
  readonly platform: Platform;
  readonly versions: Versions;
  /** The name by which all workers of the program are found. */
  readonly tree: string;
  /** Called with each event. `wallMs`: when it happened, in ms since 1970. */
  readonly onEvent: (event: EventWithoutRelease, wallMs: number) => void;
  /** Called after each input, when its events have been reported. */
  readonly onChange: (program: Program) => void;
}

interface Signs {
  receive: ((worker: RunningWorker, said: Notification | null) => void) | null;
}

export interface Runner {
  dispatch(input: Undated<ProgramInput | Extract<WorkerInput, { type: 'workerHung' | 'workerAlive' }>>): void;
  /** Has `receive` called with each sign of life of a worker from now on: a notification that it has sent, or null if its event loop turns. */
  watchSigns(receive: NonNullable<Signs['receive']>): void;
  /** The process of a worker, until it has ended. */
  processOf(worker: number): RunningWorker | undefined;
  /** The program as it is now. */
  state(): Program;
  /** Asks the workers that drain what they have open; with `ofAll`, also those that are ready. Resolves when they have answered, or after 0.3 s. */
  askOpen(ofAll?: boolean): Promise<void>;
  /** The worker's answer to the latest question; null if there is none. */
  openOf(worker: number): OpenCounts | null;
  loadOf(worker: number): WorkerLoad | null;
  /** Asks the worker for its health. */
  askHealth(worker: number): void;
  /** The worker's answer to the latest question for its health; null if there is none yet. */
  healthOf(worker: number): { readonly problem: string | null } | null;
  /** What the program's workers have served, as far as they have reported it. */
  served(): Served;
  /** What the workers that have ended had served. */
  servedByEnded(): Served;
  /** The records of the workers' processes. */
  workers(): readonly ProcessRecord[];
  /** The timers that are armed. */
  timers(): readonly TimerRecord[];
  /** Takes over state, workers and timers from the previous image of this process. Errors: `upgradeFailed`, `logFileUnusable`. */
  resume(record: Pick<OwnRecord, 'lifecycle' | 'workers' | 'timers' | 'servedByEnded'>): void;
  /** Leaves what the workers write in their pipes, or ends that. */
  suspendOutput(isSuspended: boolean): void;
  /** Whether something is under way that could not be handed over: a message to a worker, or the exit of one. */
  isBusy(): boolean;
}

export function createRunner(options: RunnerOptions, initial: Program): Runner {
  const { platform, versions } = options;
  const { clock } = platform;
  const queue: { readonly input: LifecycleInput; readonly wallMs: number }[] = [];
  let program = initial;
  let isTurning = false;

  const openCounts = createOpenCounts(platform.arm);
  const loads = createWorkerLoads();
  const timers = createTimers(platform);
  const signs: Signs = { receive: null };
  const readiness = createReadinessJudge({
    platform,
    versions,
    dispatch,
    onEvent: report,
    received: (worker, said) => signs.receive?.(worker, said),
  });
  const messages = createMessageHandler({
    readiness,
    platform,
    versions,
    dispatch,
    onEvent: report,
    pauseLapsed: (worker) => {
      // The worker may have been told to resume in the meantime.
      if (program.workers.some(({ id, isPaused }) => id === worker.id && isPaused))
        performer.pauseAgain(worker);
    },
    alive: (worker) => signs.receive?.(worker, null),
    open: (worker, counts, load) => {
      if (load !== null) loads.received(worker, load);
      openCounts.received(worker, counts);
    },
  });
  const workers = createWorkerProcesses({
    platform,
    versions,
    preload: options.preload,
    prepare: options.prepare,
    openOutput: options.openOutput,
    messages,
    readiness,
    dispatch,
    onEvent: report,
    onEnd: (worker) => {
      performer.ended(worker);
      loads.ended(worker.id, worker.report);
      openCounts.forget(worker.id);
    },
  });
  const gate = createStartGate({
    prepare: options.prepareGeneration,
    start: (worker, wasHeld) => {
      if (wasHeld)
        timers.arm({ timer: 'ready', worker: worker.worker }, program.settings.readyTimeoutMs, fire);
      workers.start(worker);
    },
    refused: (worker, failure) => {
      dispatch({
        type: 'workerEnded',
        worker,
        end: silentEnd(failure ?? notStartedFailure(new Error('it was stopped'))),
      });
    },
  });

  const performer = createPerformer({
    platform,
    versions,
    workers,
    gate,
    readiness,
    timers,
    fire,
    tree: options.tree,
    onEvent: report,
    queueLeftBehind: (queue, connections) => {
      dispatch({ type: 'queueLeftBehind', slot: queue, connections });
    },
    admitted: (worker) => {
      dispatch({ type: 'workerAdmitted', worker });
    },
  });

  function dispatch(input: Undated<LifecycleInput>): void {
    queue.push({ input: { ...input, at: Math.round(clock.monotonicMs()) }, wallMs: clock.wallMs() });
    if (isTurning) return;
    isTurning = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { input } = next;
        if (input.type === 'workerSaidReady') workers.becameReady(input.worker);
        const { state, effects } = step(program, input);
        program = state;
        performer.direct(program);
        // Effects are performed first and reported afterwards, so that no client waits for a line of the log.
        const events = effects.flatMap((effect) => performer.perform(effect) ?? []);
        performer.performed(program);
        for (const event of events) options.onEvent(event, next.wallMs);
        options.onChange(program);
      }
    } finally {
      isTurning = false;
    }
  }

  function report(event: MasterEvent): void {
    if (event.event === 'workerAcceptsNoMore' && event.pid !== null) performer.acceptsNoMore(event.pid);
    options.onEvent(event, clock.wallMs());
  }

  function workerNotReady(id: number): void {
    const worker = workers.get(id);
    if (worker === undefined) return;
    worker.withoutPreload = platform.findWithoutPreload(worker.process.pid, options.preload);
    const { plan, listeners } = versions.of(worker.generation);
    const context = failureContext(worker, listeners);
    const started = program.workers.find((one) => one.id === id);
    const extendedMs =
      started === undefined || started.extendedTo === null ? null : started.extendedTo - started.phaseSince;
    const awaited = readiness.awaited(worker);
    const failure = notReadyFailure(extendedMs ?? program.settings.readyTimeoutMs, awaited, context);
    // A Node.js process that has inherited the listener is gated, whatever has started it.
    const mayAccept =
      plan.kind.type !== 'server' ||
      !platform.findNode(
        worker.process.pid,
        versions.listenersOf(worker).map(({ fd }) => fd),
      );
    dispatch({ type: 'workerNotReady', worker: id, failure, mayAccept });
  }

  function admissionTimedOut(id: number): void {
    const worker = workers.get(id);
    if (worker === undefined) return;
    const problem = `it did not confirm within ${formatDuration(program.settings.readyTimeoutMs)} that it accepts connections`;
    const failure = notAdmittedFailure(
      problem,
      failureContext(worker, versions.of(worker.generation).listeners),
    );
    dispatch({ type: 'admissionFailed', worker: id, failure });
  }

  function fire(key: TimerKey): void {
    switch (key.timer) {
      case 'ready':
        workerNotReady(key.worker);
        return;
      case 'admit':
        admissionTimedOut(key.worker);
        return;
      case 'drain':
        dispatch({ type: 'drainTimedOut', worker: key.worker });
        return;
      case 'kill':
        dispatch({ type: 'killTimedOut', worker: key.worker });
        return;
      case 'restart':
        dispatch({ type: 'restartDue', generation: key.generation, slot: key.slot });
        return;
      case 'retry':
        dispatch({ type: 'retryDue' });
        return;
      case 'replacement':
        dispatch({ type: 'replacementDue' });
        return;
      case 'rollout':
        dispatch({ type: 'rolloutDue' });
        return;
      case 'debounce':
        dispatch({ type: 'debounceElapsed' });
        return;
      case 'probation':
        dispatch({ type: 'probationElapsed' });
        return;
    }
  }

  async function askOpen(ofAll = false): Promise<void> {
    const asked = program.workers.filter(
      ({ phase, capabilities }) =>
        capabilities.reports &&
        (phase === 'draining' || phase === 'terminating' || (ofAll && phase === 'ready')),
    );
    const known = asked.flatMap(({ id }) => workers.get(id) ?? []);
    await openCounts.ask(known);
  }

  return {
    dispatch,
    watchSigns(receive) {
      signs.receive = receive;
    },
    processOf: (worker) => workers.get(worker),
    state: () => program,
    askOpen,
    openOf: (worker) => openCounts.of(worker),
    loadOf: (worker) => loads.of(worker),
    askHealth(id) {
      const worker = workers.get(id);
      if (worker === undefined) return;
      worker.health = null;
      const { readiness: way } = versions.of(worker.generation).plan.workerKind;
      if (worker.ownPid !== null || way.when !== 'answers') {
        worker.process.send({ type: 'checkHealth' });
        return;
      }
      const userAgent = 'graceful-run (health check)';
      const { outcome } = askOwnSocket(platform, versions, worker, way.path, userAgent);
      void outcome.then((problem) => {
        worker.health = { problem };
      });
    },
    healthOf: (worker) => workers.get(worker)?.health ?? null,
    served: () => loads.served(),
    servedByEnded: () => loads.servedByEnded(),
    workers: () => workers.all().map((worker) => recordOf(worker, loads.of(worker.id))),
    timers: () => timers.armed(),
    resume(record) {
      program = record.lifecycle;
      loads.resume(record.servedByEnded);
      for (const process of record.workers) {
        const worker = program.workers.find(({ id }) => id === process.id);
        if (worker === undefined) continue;
        const running = workers.resume(process, worker);
        if (process.load !== null) loads.received(process.id, process.load);
        if (worker.phase === 'draining' || worker.phase === 'terminating') performer.resumedDrain(running);
      }
      workers.allResumed();
      for (const { key, dueAt } of record.timers)
        timers.arm(key, Math.max(0, dueAt - clock.monotonicMs()), fire);
      performer.direct(program);
      performer.performed(program);
    },
    suspendOutput(isSuspended) {
      for (const { process } of workers.all()) process.suspendOutput(isSuspended);
    },
    isBusy: () =>
      isTurning ||
      queue.length > 0 ||
      performer.isWaiting() ||
      workers.all().some(({ process, unguardExit }) => process.isBusy() || unguardExit.size > 0),
  };
}
