/**
 * Runs one program: feeds the lifecycle with what happens and carries out what it decides. One input is handled
 * to its end before the next one: an effect that causes an input puts it into the queue.
 * It decides nothing; it knows processes, where step.ts knows only numbers.
 */
import type { EventWithoutRelease, Outcome } from '../../shared/events.ts';
import type { OpenCounts } from '../../shared/protocol.ts';
import {
  silentEnd,
  type Effect,
  type LifecycleInput,
  type ProgramInput,
  type TimerKey,
  type Undated,
} from './lifecycle/inputs.ts';
import type { Program } from './lifecycle/state.ts';
import { step } from './lifecycle/step.ts';
import { createEndOfListening } from '../sockets/end-of-listening.ts';
import type { FittedListeners } from '../sockets/fitted-listeners.ts';
import { formatDuration } from '../../shared/durations.ts';
import {
  exitFailure,
  isNotInherited,
  notAdmittedFailure,
  notInheritedFailure,
  notReadyFailure,
  notStartedFailure,
} from './worker-failures.ts';
import { hearWorkers } from './worker-messages.ts';
import type { BoundListener } from '../sockets/listener.ts';
import type { WorkerKind } from '../launch/worker-kind.ts';
import type { ProcessRecord, TimerRecord } from '../handover/record.ts';
import { identity, lastWords, recordOf, type LiveWorker } from './worker-record.ts';
import { createOpenCounts } from './open-counts.ts';
import type { Platform, SpawnRequest } from '../process/platform.ts';
import { sendListener } from '../process/send-listener.ts';
import { createStderrTail } from '../output/stderr-tail.ts';
import { createTimers } from './timers.ts';
import { forwardWholeLines } from '../output/forward-lines.ts';

export interface RunnerOptions {
  readonly platform: Platform;
  readonly listeners: readonly BoundListener[];
  readonly fitted: FittedListeners;
  readonly workerKind: WorkerKind;
  /** The path of what is loaded into every Node.js worker. */
  readonly preload: string;
  /** Looks up command, cwd and environment as they are now. Throws GracefulRunError when they do not make a command. */
  readonly prepare: (worker: { generation: number; slot: number }) => SpawnRequest;
  /** `wallMs` is the time of what it tells, in ms since 1970. */
  readonly onEvent: (event: EventWithoutRelease, wallMs: number) => void;
  /** What the worker with this pid wrote to stderr goes on to here, in whole lines. */
  readonly onStderr: (bytes: Uint8Array, pid: number) => void;
}

export interface Runner {
  dispatch(input: Undated<ProgramInput>): void;
  /** The program as it is now. */
  state(): Program;
  /** Asks the workers that drain what they still have open; resolves when they have answered, or have had the time to. */
  askOpen(): Promise<void>;
  /** What the worker has answered to the latest question. */
  openOf(worker: number): OpenCounts | null;
  /** What is known of the workers' processes. */
  workers(): readonly ProcessRecord[];
  /** The timers that are armed. */
  timers(): readonly TimerRecord[];
}

export function createRunner(options: RunnerOptions, initial: Program): Runner {
  const { platform, listeners } = options;
  const live = new Map<number, LiveWorker>();
  const timers = createTimers(platform);
  const queue: { readonly input: LifecycleInput; readonly wallMs: number }[] = [];
  let program = initial;
  let isTurning = false;
  let endOfListening = createEndOfListening(listeners);
  const openCounts = createOpenCounts(platform.arm);
  const hearing = hearWorkers({
    platform,
    listeners,
    fitted: options.fitted,
    onEvent: (event) => {
      if (event.event === 'workerAcceptsNoMore' && event.pid !== null) {
        endOfListening.acceptsNoMore(event.pid);
        lookAtListeners();
      }
      options.onEvent(event, platform.clock.wallMs());
    },
    dispatch,
    open: (worker, counts) => {
      openCounts.heard(worker, counts);
    },
  });

  function dispatch(input: Undated<LifecycleInput>): void {
    const { clock } = platform;
    queue.push({ input: { ...input, at: Math.round(clock.monotonicMs()) }, wallMs: clock.wallMs() });
    if (isTurning) return;
    isTurning = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { state, effects } = step(program, next.input);
        program = state;
        // Acts first, tells then: no client waits for a line of the log.
        const events = effects.flatMap((effect) => perform(effect) ?? []);
        for (const event of events) options.onEvent(event, next.wallMs);
      }
    } finally {
      isTurning = false;
    }
  }

  /** Answers what is to be told about it, if anything. */
  function perform(effect: Effect): EventWithoutRelease | null {
    switch (effect.type) {
      case 'startWorker':
        startWorker(effect);
        return null;
      case 'admitWorker':
        live.get(effect.worker)?.process.send({ type: 'admit' });
        return null;
      case 'pauseWorker':
        for (const listener of listeners) {
          const worker = live.get(effect.worker)?.process;
          if (worker !== undefined) sendListener(worker, { type: 'pause', name: listener.name }, listener);
        }
        live.get(effect.worker)?.process.send({ type: 'confirmPause' });
        return null;
      case 'resumeWorker': {
        const worker = live.get(effect.worker);
        if (worker === undefined) return null;
        endOfListening.accepts(worker.process.pid);
        worker.process.send({ type: 'resume' });
        return null;
      }
      case 'drainWorker': {
        const worker = live.get(effect.worker);
        if (worker === undefined) return null;
        // The word first: when the signal arrives, the worker can already read why.
        const { reason, timeoutMs, migrates } = effect;
        worker.process.send({ type: 'drain', reason, timeoutMs, migrates });
        platform.signalProcess(listenerOf(worker), options.workerKind.drainSignal);
        return null;
      }
      case 'introduce': {
        const source = live.get(effect.source);
        const destination = live.get(effect.destination);
        if (source === undefined || destination === undefined) return null;
        const problem = platform.introduce(source.process, destination.process, effect.more);
        return problem === null ? null : { event: 'migrationFailed', ...identity(source), problem };
      }
      case 'signalGroup': {
        const worker = live.get(effect.worker);
        if (worker === undefined) return null;
        const { process } = worker;
        if (effect.signal === 'SIGKILL') {
          process.killTree();
          return null;
        }
        const servingPid = listenerOf(worker);
        // A shell in between would die of SIGTERM at once, and take the group along before the program has said its last word.
        if (servingPid !== process.pid) platform.signalProcess(servingPid, effect.signal);
        else platform.signalGroup(process.pid, effect.signal);
        return null;
      }
      case 'endCommand': {
        live.get(effect.worker)?.process.endWatchers();
        return null;
      }
      case 'armTimer':
        timers.arm(effect.key, effect.delayMs, fire);
        return null;
      case 'disarmTimer':
        timers.disarm(effect.key);
        return null;
      case 'closeListeners':
        endOfListening.begin([...live.values()].map(({ servingPid }) => servingPid));
        lookAtListeners();
        return { event: 'listenersClosed' };
      case 'lookForLeftovers':
        return endOfListening.finish();
      case 'announce':
        return effect.event;
      case 'finish':
        timers.disarmAll();
        endOfListening = createEndOfListening(listeners);
        return null;
    }
  }

  /** The process that listens; under `npm start`, when that has ended, its number may be a stranger's by now. */
  function listenerOf({ process, servingPid }: LiveWorker): number {
    return platform.isKin(servingPid, process.pid) ? servingPid : process.pid;
  }

  function lookAtListeners(): void {
    endOfListening.look([...live.values()].map(({ process }) => process.pid));
  }

  function startWorker({ worker: id, generation, slot }: Extract<Effect, { type: 'startWorker' }>): void {
    const tail = createStderrTail();
    let worker: LiveWorker | null = null;
    const lines = forwardWholeLines((bytes) => {
      if (worker !== null) options.onStderr(bytes, worker.process.pid);
    }, platform.arm);
    const failed = (error: unknown): void => {
      dispatch({ type: 'workerEnded', worker: id, end: silentEnd(notStartedFailure(error)) });
    };
    const process = attempt(() =>
      platform.spawn(options.prepare({ generation, slot }), {
        message: (raw) => {
          if (worker !== null) hearing.message(worker, raw);
        },
        garbage: () => {
          if (worker !== null) hearing.garbage(worker);
        },
        stderr: (bytes) => {
          tail.add(bytes);
          lines.add(bytes);
          failIfNotInherited(worker);
          lookForPreload(worker, bytes);
        },
        exit: (outcome) => {
          lines.end();
          if (worker !== null) buryWorker(worker, outcome);
        },
        failed,
      }),
    );
    if (process instanceof Error) failed(process);
    else if (process !== null) {
      worker = {
        id,
        generation,
        slot,
        process,
        tail,
        servingPid: process.pid,
        speaker: null,
        wasReady: false,
        unwatch: null,
        notReadyYet: null,
        undeclared: [],
        withoutPreload: null,
        rejected: 0,
        cleanUpsCut: 0,
        report: null,
      };
      live.set(id, worker);
      dispatch({ type: 'workerSpawned', worker: id, pid: process.pid });
    }
  }

  function buryWorker(worker: LiveWorker, outcome: Outcome): void {
    const { id, report, cleanUpsCut } = worker;
    live.delete(id);
    endOfListening.accepts(worker.process.pid);
    lookAtListeners();
    worker.unwatch?.();
    openCounts.forget(id);
    const failure = exitFailure(outcome, lastWords(worker, listeners));
    const { served, migrated, cut } = report ?? { served: null, migrated: null, cut: null };
    const end = { outcome, failure, served, migrated, cut, cleanUpsCut };
    dispatch({ type: 'workerEnded', worker: id, end });
  }

  /** A wrapper such as `node --watch` lives on when what it has started has failed. */
  function failIfNotInherited(worker: LiveWorker | null): void {
    if (worker === null || worker.wasReady || !isNotInherited(worker.tail.lines())) return;
    const failure = notInheritedFailure(lastWords(worker, listeners));
    dispatch({ type: 'readyTimedOut', worker: worker.id, failure });
  }

  /** A program that dies of it says so, and is gone a moment later: then there is nothing to look at any more. */
  function lookForPreload(worker: LiveWorker | null, bytes: Uint8Array): void {
    if (worker === null || worker.wasReady || worker.withoutPreload !== null) return;
    if (!Buffer.from(bytes).includes('EADDRINUSE')) return;
    worker.withoutPreload = platform.findWithoutPreload(worker.process.pid, options.preload);
  }

  function readyTimedOut(id: number): void {
    const worker = live.get(id);
    if (worker === undefined) return;
    const { readyTimeoutMs } = program.settings;
    worker.withoutPreload = platform.findWithoutPreload(worker.process.pid, options.preload);
    const failure = notReadyFailure(
      readyTimeoutMs,
      options.workerKind.readiness,
      lastWords(worker, listeners),
    );
    dispatch({ type: 'readyTimedOut', worker: id, failure });
  }

  function admissionTimedOut(id: number): void {
    const worker = live.get(id);
    if (worker === undefined) return;
    const problem = `it did not confirm within ${formatDuration(program.settings.readyTimeoutMs)} that it accepts connections`;
    dispatch({
      type: 'admissionFailed',
      worker: id,
      failure: notAdmittedFailure(problem, lastWords(worker, listeners)),
    });
  }

  function fire(key: TimerKey): void {
    switch (key.timer) {
      case 'ready':
        readyTimedOut(key.worker);
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
      case 'settle':
        dispatch({ type: 'settleElapsed' });
        return;
      case 'probation':
        dispatch({ type: 'probationElapsed' });
        return;
    }
  }

  async function askOpen(): Promise<void> {
    if (!program.settings.capabilities.reports) return;
    const leaving = program.workers.filter(({ phase }) => phase === 'draining' || phase === 'terminating');
    await openCounts.ask(
      leaving.flatMap(({ id }) => {
        const worker = live.get(id);
        return worker?.wasReady === true ? [worker] : [];
      }),
    );
  }

  return {
    dispatch,
    state: () => program,
    askOpen,
    openOf: (worker) => openCounts.of(worker),
    workers: () => [...live.values()].map(recordOf),
    timers: () => timers.armed(),
  };
}

/** What `action` returns, or the error that it throws. */
function attempt<Result>(action: () => Result): Result | Error {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
