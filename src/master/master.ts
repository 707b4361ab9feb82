/**
 * Puts a master together: its control socket and its program, with the order in which they begin and end. It decides nothing
 * else, and knows neither the command line, nor signals, nor what a log looks like.
 */
import { dirname } from 'node:path';
import type { ReloadResult, Status } from '../shared/control-api.ts';
import { controlFolders } from '../shared/control-path.ts';
import type { Cause, EventRecord, Failure, MasterEvent } from '../shared/events.ts';
import { version } from '../shared/version.ts';
import {
  compileOptions,
  type MasterOptions,
  type MasterSettings,
  type OptionSpelling,
} from './config/options.ts';
import { workingDirectory } from './config/working-directory.ts';
import type { Commands } from './control/commands.ts';
import { openControlServer, type ControlServer } from './control/control-server.ts';
import { deferred } from './deferred.ts';
import { recordVersion, type MasterRecord } from './handover/record.ts';
import { embeddedOutput } from './output/shared-output.ts';
import type { Platform } from './process/platform.ts';
import { system } from './process/system.ts';
import { describeStatus } from './program/describe-status.ts';
import { masterStopped } from './program/history/reload-waiters.ts';
import { createProgram } from './program/program.ts';
import { startFailed } from './program/worker-failures.ts';

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
   * Asks for a new generation; resolves when it serves (`ok`) or has failed (then the old one keeps serving).
   * While a reload runs, any number of calls become one more. Rejects with `masterStopped`.
   */
  reload(cause?: Cause): Promise<ReloadResult>;
  /** Drains every worker and resolves when all are gone. A second call kills them. */
  stop(cause?: Cause): Promise<void>;
  /** Adds so many workers, or removes them (down to one). Does nothing once a stop was asked for. */
  changeWorkerCount(change: number): void;
  status(): Status;
  /** Calls back for every event from now on; returns what ends it. */
  subscribe(listener: (event: EventRecord) => void): () => void;
  /** Resolves when nothing is left, with the reason if it was not asked to stop. */
  readonly ended: Promise<Failure | null>;
}

/** A master with what the process around it needs as well. */
export interface OwnedMaster extends Master {
  /** The same that the control socket calls. */
  readonly commands: Commands;
  /** Everything that has to survive this process. */
  record(): MasterRecord;
}

/** What a master takes from its surroundings. Everything has a default. */
export interface Surroundings {
  readonly platform: Platform;
  readonly environment: NodeJS.ProcessEnv;
  /** Where the stderr of the worker with this pid goes, in whole lines, as it was written. */
  readonly onStderr: (bytes: Uint8Array, pid: number) => void;
  /** Stands in every line of the master's log (random-id.ts); null: it writes none. */
  readonly logId: string | null;
  /** How errors name the options. */
  readonly spelling: OptionSpelling;
}

/** How often it is checked whether the master of this name has ended. */
const namePauseMs = 100;

/** Checks the options and makes a master that does nothing yet. Errors: `badOption`, `commandMissing`. */
export function createMaster(options: MasterOptions, given: Partial<Surroundings> = {}): OwnedMaster {
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
): OwnedMaster {
  const startedAt = platform.clock.monotonicMs();
  const subscribers = new Set<(event: EventRecord) => void>();
  const ended = deferred<Failure | null>();
  let control: ControlServer | null = null;
  let starting: Promise<void> | null = null;

  const program = createProgram({
    settings,
    environment,
    platform,
    onStderr,
    privateFolder: () => (control === null ? null : dirname(control.path)),
    onEvent: publish,
  });

  const commands: Commands = {
    async status() {
      await program.askOpen();
      return status();
    },
    reload(command) {
      const { generation, outcome } = program.reload(command);
      return { accepted: { generation }, outcome };
    },
    scale: (command) => program.scale(command),
    stop({ cause }) {
      program.stop(cause);
      return { accepted: { pid: process.pid }, done: ended.promise.then(() => undefined) };
    },
    subscribe,
  };

  function publish(event: MasterEvent, time: number = platform.clock.wallMs()): void {
    if (event.event === 'reloadRequested') void control?.restore();
    for (const subscriber of subscribers) subscriber({ ...event, program: program.name(), time });
    if (event.event === 'stopped')
      void close().then(() => {
        ended.resolve(event.failure);
      });
  }

  /** A stop that is asked for while the master starts makes what it still waits for useless. */
  function isWanted(): boolean {
    return program.phase() === 'idle';
  }

  async function open(): Promise<void> {
    // Fails early and cheaply when there is no such command, folder or env file: nothing was touched yet.
    program.check();
    // A living master of this name says so better than its port does. With port 0 the name comes with the port.
    if (settings.port !== 0 || settings.name !== null) await openControl();
    await program.bind();
    if (control === null) await openControl();
    await program.watch();
    publish({ event: 'masterStarted', pid: process.pid, version, control: control?.path ?? null });
  }

  async function openControl(): Promise<void> {
    if (!settings.hasControl) return;
    let told: number | null = null;
    control = await openControlServer({
      name: program.name(),
      folders: controlFolders(environment, process.geteuid?.() ?? 0),
      commands,
      // Its drain timeout ends that. A supervisor may start the next master before the last one has drained.
      wait: async (holder) => {
        if (!isWanted()) return false;
        if (holder !== told) publish({ event: 'nameBusy', holder });
        told = holder;
        await new Promise<void>((resolve) => {
          platform.arm(namePauseMs, resolve);
        });
        return isWanted();
      },
      onChange: (change) => {
        publish({ event: 'controlSocketChanged', ...change });
      },
    });
  }

  async function close(): Promise<void> {
    await program.close();
    await control?.close();
  }

  async function start(): Promise<void> {
    try {
      await open();
      if (!isWanted()) throw masterStopped();
    } catch (error) {
      await close();
      // A stop that was asked for meanwhile is the answer, and not the reason why it would not have started.
      throw isWanted() ? error : masterStopped();
    }
    try {
      const { failure } = await program.start();
      if (failure !== null) throw startFailed(failure);
    } catch (error) {
      // Nothing is left running when start() has failed.
      await ended.promise;
      throw error;
    }
  }

  function status(): Status {
    return describeStatus(
      program.record(),
      { version, pid: process.pid, logId, startedAt },
      (worker) => program.openOf(worker),
      platform.clock.monotonicMs(),
    );
  }

  function subscribe(listener: (event: EventRecord) => void): () => void {
    subscribers.add(listener);
    return () => subscribers.delete(listener);
  }

  return {
    start: () => (starting ??= start()),
    reload: async (cause = 'embedder') => commands.reload({ cause, wait: 'serving' }).outcome,
    stop: async (cause = 'embedder') => commands.stop({ cause }).done,
    changeWorkerCount: (change) => {
      if (!['stopping', 'stopped'].includes(program.phase())) commands.scale({ change });
    },
    status,
    subscribe,
    ended: ended.promise,
    commands,
    record: () => ({ version: recordVersion, startedAt, logId, programs: [program.record()] }),
  };
}
