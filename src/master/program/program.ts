/**
 * One program: its listeners, its workers and what happened to it. It can be started again after it has stopped or failed.
 * It knows nothing of other programs, nor of what is done with its events.
 */
import type { ReloadResult, Scaled } from '../../shared/control-api.ts';
import type { Cause, EventWithoutRelease, MasterEvent } from '../../shared/events.ts';
import { killDelayMs } from '../../shared/protocol.ts';
import {
  bindPatienceMs,
  maxDrainingGenerations,
  sameStopMs,
  settleMs,
  watchStableMs,
} from '../config/fixed-bounds.ts';
import type { MasterSettings } from '../config/options.ts';
import type { ReloadCommand, ScaleCommand } from '../control/commands.ts';
import type { ProgramRecord } from '../handover/record.ts';
import { codeCachePath, preloadPath } from '../launch/preload-path.ts';
import { prepareWorker } from '../launch/prepare-worker.ts';
import { programFile } from '../launch/program-file.ts';
import type { VariableSource } from '../launch/worker-environment.ts';
import type { Platform } from '../process/platform.ts';
import { bindWithPatience } from '../sockets/bind-with-retries.ts';
import { createFittedListeners } from '../sockets/fitted-listeners.ts';
import type { BoundListener } from '../sockets/listener.ts';
import type { Watch } from '../watch/start-watch.ts';
import { describeDrain } from './describe-status.ts';
import { createDrainProgress } from './drain-progress.ts';
import { emptyHistory, remember } from './history/history.ts';
import { createReleases, releaseOf } from './history/releases.ts';
import { createReloadWaiters, masterStopped } from './history/reload-waiters.ts';
import { defaultBackoff } from './lifecycle/backoff.ts';
import { idleProgram, servingGeneration, type LifecycleSettings, type Program } from './lifecycle/state.ts';
import { createRunner, type Runner } from './runner.ts';

export interface ProgramParts {
  readonly settings: MasterSettings;
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: Platform;
  /** Where the stderr of the worker with this pid goes, in whole lines, as it was written. */
  readonly onStderr: (bytes: Uint8Array, pid: number) => void;
  /** A folder that only this user can open, for the code cache of workers; null: there is none. */
  readonly privateFolder: () => string | null;
  /** `wallMs`: when it happened, in ms since 1970. */
  readonly onEvent: (event: MasterEvent, wallMs: number) => void;
}

export interface ManagedProgram {
  readonly listeners: readonly BoundListener[];
  /** Its name: what was asked for, else the port, which with port 0 is known once it is bound. */
  name(): string;
  /** Looks up the command, as it is done for every worker. Errors: `commandNotFound`, `commandNotExecutable`, `cwdMissing`, `envFileUnreadable`. */
  check(): void;
  /** Binds its listeners. Errors: `addressInUse`, `addressUnusable`. After an error close() is still to be called. */
  bind(): Promise<void>;
  /** Reloads when what it watches changes, from now on. Errors: `notWatchable`. */
  watch(): Promise<void>;
  /** Starts a generation; resolves when it serves or has failed. Rejects with `masterStopped`. */
  start(): Promise<ReloadResult>;
  reload(command: ReloadCommand): { readonly generation: number; readonly outcome: Promise<ReloadResult> };
  scale(command: ScaleCommand): Scaled;
  stop(cause: Cause): void;
  phase(): Program['phase'];
  /** Asks the draining workers what they still have open. */
  askOpen(): Promise<void>;
  openOf: Runner['openOf'];
  record(): ProgramRecord;
  /** Stops watching and lets go of the listeners. */
  close(): Promise<void>;
}

export function createProgram(parts: ProgramParts): ManagedProgram {
  const { settings, environment, platform } = parts;
  const listeners: BoundListener[] = [];
  const fitted = createFittedListeners(listeners, announceListener);
  const releases = createReleases(settings.command, { cwd: settings.cwd, environment });
  const waiters = createReloadWaiters(platform.arm);
  const preload = preloadPath();
  const saidOfPort = new Set<VariableSource>();
  const closing = new AbortController();
  let history = emptyHistory;
  let watch: Watch | null = null;
  /** Its listeners are to be bound: no stop was asked for since. */
  let isWanted = true;

  const runner = createRunner(
    {
      platform,
      listeners,
      fitted,
      workerKind: settings.workerKind,
      preload,
      prepare: (place) => {
        releases.starting(place, servingGeneration(runner.state())?.number ?? null);
        const codeCache = codeCachePath(preload, parts.privateFolder());
        return prepareWorker(settings, listeners, environment, preload, codeCache, place, portChanged);
      },
      onEvent: tell,
      onStderr: parts.onStderr,
    },
    idleProgram(lifecycleSettings(settings), settings.workers),
  );

  const progress = createDrainProgress({
    arm: platform.arm,
    isDraining: () => look() !== null,
    look: async () => {
      await runner.askOpen();
      return look();
    },
    publish: tell,
  });

  function look(): ReturnType<typeof describeDrain> {
    return describeDrain(runner.state(), (worker) => runner.openOf(worker), platform.clock.monotonicMs());
  }

  /** Everything that happens to the program comes through here: it is remembered, and then told. */
  function tell(announced: EventWithoutRelease, wallMs: number = platform.clock.wallMs()): void {
    const event = withRelease(announced);
    history = remember(history, event, wallMs);
    if (event.event === 'generationReady') fitted.decided();
    waiters.observe(event, history);
    progress.observe(event);
    parts.onEvent(event, wallMs);
  }

  function withRelease(event: EventWithoutRelease): MasterEvent {
    const { event: name } = event;
    return name === 'generationStarted' ||
      name === 'generationReady' ||
      name === 'generationFailed' ||
      name === 'generationRolledBack'
      ? { ...event, release: releaseOf(releases.known(), event.generation) }
      : event;
  }

  function announceListener({ name, host, port }: BoundListener): void {
    tell({ event: 'listenerBound', listener: name, host, port });
  }

  /** Said once for each source: every start of a worker finds it again. */
  function portChanged(source: VariableSource): void {
    const [listener] = listeners;
    if (listener === undefined || saidOfPort.has(source)) return;
    saidOfPort.add(source);
    tell({ event: 'portChanged', source, port: listener.port });
  }

  async function bind(): Promise<void> {
    const { host, port, backlog } = settings;
    isWanted = true;
    fitted.reset();
    const bound = await bindWithPatience(
      { name: 'default', host, port, backlog },
      bindPatienceMs,
      // A stop that is asked for meanwhile makes it useless to wait for an address.
      () => isWanted,
      {
        busy: (patienceMs) => {
          tell({ event: 'addressBusy', host, port, patienceMs });
        },
        killed: (pids) => {
          tell({ event: 'orphansKilled', port, pids });
        },
      },
      platform,
    );
    listeners.splice(0, listeners.length, bound);
  }

  async function startWatching(): Promise<void> {
    if (settings.watch === null) return;
    const { command, cwd } = settings;
    const paths = settings.watch.length > 0 ? settings.watch : [programFile(command, { cwd, environment })];
    // Loaded only where it is wanted: it brings the hashes along, 2 MB and more.
    const { startWatch } = await import('../watch/start-watch.ts');
    watch = await startWatch({
      paths,
      stableMs: watchStableMs,
      signal: closing.signal,
      onChange: (path) => {
        tell({ event: 'fileChanged', path });
        runner.dispatch({ type: 'reloadRequested', cause: 'watch' });
      },
      onProblem: (problem) => {
        tell({ event: 'watchFailed', problem });
      },
    });
    tell({ event: 'watchStarted', paths });
  }

  function name(): string {
    return settings.name ?? String(listeners[0]?.port ?? settings.port);
  }

  return {
    listeners,
    name,
    check() {
      prepareWorker(settings, [], environment, preload, null, { generation: 1, slot: 0 });
    },
    bind,
    watch: startWatching,
    async start() {
      const first = waiters.wait(runner.state().lastGeneration + 1, 'serving');
      for (const listener of listeners) announceListener(listener);
      runner.dispatch({ type: 'startRequested' });
      return first;
    },
    reload({ cause, wait }) {
      const { phase, lastGeneration } = runner.state();
      if (phase === 'idle' || phase === 'stopping' || phase === 'stopped') throw masterStopped();
      const generation = lastGeneration + 1;
      const outcome = waiters.wait(generation, wait);
      runner.dispatch({ type: 'reloadRequested', cause });
      return { generation, outcome };
    },
    scale({ change }) {
      const { phase, workersWanted: before } = runner.state();
      if (phase === 'stopping' || phase === 'stopped') throw masterStopped('scale');
      runner.dispatch({ type: 'workerCountRequested', change });
      return { workers: runner.state().workersWanted, before };
    },
    stop(cause) {
      isWanted = false;
      runner.dispatch({ type: 'stopRequested', cause });
    },
    phase: () => runner.state().phase,
    askOpen: () => runner.askOpen(),
    openOf: (worker) => runner.openOf(worker),
    record: () => ({
      name: name(),
      command: settings.command,
      lifecycle: runner.state(),
      history,
      releases: releases.known(),
      listeners: listeners.map(({ name: listener, host, port, backlog, fd, isUndecided, standsFor }) => ({
        name: listener,
        host,
        port,
        backlog,
        fd,
        isUndecided,
        standsFor,
      })),
      workers: runner.workers(),
      timers: runner.timers(),
    }),
    async close() {
      // A first look at what is watched may take long.
      closing.abort();
      for (const listener of listeners) listener.close();
      await watch?.close();
    },
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
