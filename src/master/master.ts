/**
 * Puts a master together: its doors (listener, control socket, watch) and its program, with their order of birth and
 * death, and decides nothing else. It must not know the command line, signals, or how a log looks.
 */
import type { ReloadResult, ReloadWait, Scaled, Status } from '../shared/control-api.ts';
import type { Cause, MasterEvent, EventWithoutRelease, Failure, EventRecord } from '../shared/events.ts';
import { killDelayMs } from '../shared/protocol.ts';
import { version } from '../shared/version.ts';
import { maxDrainingGenerations, sameStopMs, settleMs } from './config/defaults.ts';
import { createDoors } from './resources.ts';
import { createDrainProgress } from './program/drain-progress.ts';
import { defaultBackoff } from './program/lifecycle/backoff.ts';
import { workingDirectory } from './config/working-directory.ts';
import { createLastCrash } from './program/history/last-crash.ts';
import { idleProgram, type LifecycleSettings } from './program/lifecycle/state.ts';
import { deferred } from './deferred.ts';
import {
  compileOptions,
  type MasterOptions,
  type MasterSettings,
  type OptionSpelling,
} from './config/options.ts';
import { createLeavingWorkers } from './program/history/leaving-workers.ts';
import { codeCachePath, preloadPath } from './launch/preload-path.ts';
import { prepareWorker } from './launch/prepare-worker.ts';
import { createReleases } from './program/history/releases.ts';
import { createReloadResults, masterStopped } from './program/history/reload-results.ts';
import type { Platform } from './process/platform.ts';
import { createRunner } from './program/runner.ts';
import { system } from './process/system.ts';
import type { VariableSource } from './launch/worker-environment.ts';
import { startFailed } from './program/start-failed.ts';
import { describeDrain, describeStatus } from './program/describe-status.ts';
import { embeddedOutput } from './output/shared-output.ts';

/** A master of one program. Created idle; a stopped one cannot be started again. */
export interface Master {
  /**
   * Binds, starts the first generation, and resolves when it serves. Errors: `addressInUse`, `addressUnusable`,
   * `nameTaken`, `controlSocketUnusable`, `notWatchable`, `startFailed`, and those of looking up the command:
   * `commandNotFound`, `commandNotExecutable`, `cwdMissing`, `envFileUnreadable`; `masterStopped` when stop()
   * came first. After an error nothing is left running. A second call gives the same promise.
   */
  start(): Promise<void>;
  /**
   * Asks for a new generation; resolves when it serves (`ok`) or has failed (then the old one serves on).
   * While a reload runs, any number of calls become one more. Rejects with `masterStopped`.
   */
  reload(cause?: Cause): Promise<ReloadResult>;
  /** Drains every worker and resolves when all are gone. A second call kills them. */
  stop(cause?: Cause): Promise<void>;
  /** So many workers more (or less, down to one). */
  changeWorkerCount(change: number): void;
  status(): Status;
  /** Calls back for every event from now on; returns what ends it. */
  subscribe(listener: (event: EventRecord) => void): () => void;
  /** Resolves when nothing is left, with the reason if nobody had asked for it. */
  readonly ended: Promise<Failure | null>;
}

/** What a master takes from its surroundings. Everything has a default. */
export interface Surroundings {
  readonly platform: Platform;
  readonly environment: NodeJS.ProcessEnv;
  /** Where the stderr of the worker with this pid goes, in whole lines, as it was written. */
  readonly onStderr: (bytes: Uint8Array, pid: number) => void;
  /** Stands in every line of the master's log (log-id.ts); null: it writes none. */
  readonly logId: string | null;
  /** How errors name the options. */
  readonly spelling: OptionSpelling;
}

/** Checks the options and makes a master that does nothing yet. Errors: `badOption`, `commandMissing`. */
export function createMaster(options: MasterOptions, given: Partial<Surroundings> = {}): Master {
  const surroundings: Surroundings = {
    platform: system,
    environment: process.env,
    onStderr: given.onStderr ?? embeddedOutput(),
    logId: null,
    spelling: 'code',
    ...given,
  };
  const { environment, spelling } = surroundings;
  return assemble(compileOptions(options, workingDirectory(environment), spelling), surroundings);
}

function assemble(
  settings: MasterSettings,
  { platform, environment, onStderr, logId }: Surroundings,
): Master {
  const startedAt = platform.clock.monotonicMs();
  const subscribers = new Set<(event: EventRecord) => void>();
  const results = createReloadResults(platform.arm);
  const crashes = createLastCrash();
  const leaving = createLeavingWorkers();
  const releases = createReleases(settings.command, { cwd: settings.cwd, environment });
  const preload = preloadPath();
  const ended = deferred<Failure | null>();
  const saidOfPort = new Set<VariableSource>();
  let starting: Promise<void> | null = null;

  const doors = createDoors({
    settings,
    environment,
    platform,
    handlers: {
      status: async () => {
        await runner.askOpen();
        return status();
      },
      pid: () => process.pid,
      reload: (wait) => requestReload('control', wait),
      scale: setWorkerCount,
      stop: () => ({ done: stop('control') }),
      subscribe,
    },
    isWanted: () => runner.state().phase === 'idle',
    publish,
    changed: () => {
      runner.dispatch({ type: 'reloadRequested', cause: 'watch' });
    },
  });

  const runner = createRunner(
    {
      preload,
      platform,
      listeners: doors.listeners,
      fitted: doors.fitted,
      workerKind: settings.workerKind,
      prepare: (place) => {
        releases.starting(place);
        return prepareWorker(
          settings,
          doors.listeners,
          environment,
          preload,
          codeCachePath(preload, doors.controlFolder()),
          place,
          portChanged,
        );
      },
      onEvent: publish,
      onStderr,
    },
    idleProgram(lifecycleSettings(settings), settings.workers),
  );

  const progress = createDrainProgress({
    arm: platform.arm,
    isDraining: () => describeDrain(status()) !== null,
    look: async () => {
      await runner.askOpen();
      return describeDrain(status());
    },
    publish,
  });

  function publish(announced: EventWithoutRelease, time: number = platform.clock.wallMs()): void {
    const event = withRelease(announced);
    if (event.event === 'generationReady') releases.serves(event.generation);
    if (event.event === 'generationRolledBack') releases.serves(event.to);
    results.observe(event, time);
    crashes.observe(event, time);
    if (event.event === 'generationReady') doors.fitted.decided();
    if (event.event === 'reloadRequested') doors.restoreControl();
    leaving.observe(event);
    progress.observe(event);
    for (const subscriber of subscribers) subscriber({ ...event, program: doors.name(), time });
    if (event.event === 'stopped')
      void doors.close().then(() => {
        ended.resolve(event.failure);
      });
  }

  function withRelease(event: EventWithoutRelease): MasterEvent {
    if (event.event === 'generationStarted') return { ...event, release: releases.of(event.generation) };
    if (event.event === 'generationReady') return { ...event, release: releases.of(event.generation) };
    if (event.event === 'generationFailed') return { ...event, release: releases.of(event.generation) };
    if (event.event === 'generationRolledBack') return { ...event, release: releases.of(event.generation) };
    return event;
  }

  /** Said once for each source: every start of a worker finds it again. */
  function portChanged(source: VariableSource): void {
    const [listener] = doors.listeners;
    if (listener === undefined || saidOfPort.has(source)) return;
    saidOfPort.add(source);
    publish({ event: 'portChanged', source, port: listener.port });
  }

  async function open(): Promise<void> {
    // Fails early and cheaply when there is no such command, folder or env file: nothing was touched yet.
    prepareWorker(settings, [], environment, preload, null, { generation: 1, slot: 0 });
    await doors.open();
  }

  async function start(): Promise<void> {
    try {
      await open();
      // stop() may have come while the doors were being opened: then there is nothing to start.
      if (runner.state().phase !== 'idle') throw masterStopped();
    } catch (error) {
      await doors.close();
      // Whoever has asked for a stop meanwhile gets it, and not the reason why it would not have started.
      throw runner.state().phase === 'idle' ? error : masterStopped();
    }
    const first = results.of(runner.state().lastGeneration + 1, 'serving');
    runner.dispatch({ type: 'startRequested' });
    try {
      const { failure } = await first;
      if (failure !== null) throw startFailed(failure);
    } catch (error) {
      // Nothing is left running when start() has failed.
      await ended.promise;
      throw error;
    }
  }

  function requestReload(
    cause: Cause,
    wait: ReloadWait,
  ): { generation: number; outcome: Promise<ReloadResult> } {
    const { phase, lastGeneration } = runner.state();
    if (phase === 'idle' || phase === 'stopping' || phase === 'stopped') throw masterStopped();
    const generation = lastGeneration + 1;
    const reached = results.of(generation, wait === 'serving' ? 'serving' : 'settled');
    runner.dispatch({ type: 'reloadRequested', cause });
    return { generation, outcome: wait === 'drained' ? leaving.goneAfter(reached) : reached };
  }

  function setWorkerCount(workers: number): Scaled {
    const { phase, workersWanted: before } = runner.state();
    if (phase === 'stopping' || phase === 'stopped') throw masterStopped('scale');
    runner.dispatch({ type: 'workerCountRequested', change: { to: workers } });
    return { workers, before };
  }

  async function stop(cause: Cause): Promise<void> {
    runner.dispatch({ type: 'stopRequested', cause });
    await ended.promise;
  }

  function status(): Status {
    const sources = {
      name: doors.name(),
      command: settings.command,
      version,
      pid: process.pid,
      logId,
      startedAt,
      listeners: doors.listeners,
      openOf: (worker: number) => runner.openOf(worker),
      releaseOf: (generation: number) => releases.of(generation),
      otherReleaseIn: (generation: number, slot: number) => releases.otherIn(generation, slot),
      lastReload: results.last(),
      lastCrash: crashes.last(),
    };
    return describeStatus(runner.state(), sources, platform.clock.monotonicMs());
  }

  function subscribe(listener: (event: EventRecord) => void): () => void {
    subscribers.add(listener);
    return () => subscribers.delete(listener);
  }

  return {
    start: () => (starting ??= start()),
    reload: async (cause = 'embedder') => requestReload(cause, 'serving').outcome,
    stop: async (cause = 'embedder') => stop(cause),
    changeWorkerCount: (change) => {
      runner.dispatch({ type: 'workerCountRequested', change });
    },
    status,
    subscribe,
    ended: ended.promise,
  };
}

function lifecycleSettings({
  readyTimeoutMs,
  drainTimeoutMs,
  probationMs,
  workerKind,
}: MasterSettings): LifecycleSettings {
  return {
    capabilities: workerKind.capabilities,
    readyTimeoutMs,
    drainTimeoutMs,
    probationMs,
    killDelayMs,
    settleMs,
    sameStopMs,
    maxDrainingGenerations,
    backoff: defaultBackoff,
  };
}
