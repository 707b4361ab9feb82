/** What one program of a master takes and offers. program.ts makes it. */
import type { Decided, LogRecord, ReloadResult, Scaled } from '../../shared/control-api.ts';
import type { Cause, EventWithoutRelease, Failure, MasterEvent } from '../../shared/events.ts';
import type { ListenerPlan, ProgramPlan } from '../config/plan.ts';
import type { ReloadCommand, ScaleCommand } from '../control/commands.ts';
import type { OwnRecord, ProgramRecord } from '../handover/record.ts';
import type { Rescue } from '../handover/rescue.ts';
import type { ResumeListener } from '../handover/resume-listeners.ts';
import type { LogFilesLoader } from '../output/log-files-loader.ts';
import type { LogsRequest } from '../output/read-logs.ts';
import type { Platform } from '../process/platform.ts';
import type { HeldSockets } from '../sockets/obtain-sockets.ts';
import type { Program } from './lifecycle/state.ts';
import type { SocketOwners } from './program-listeners.ts';
import type { RolloutDecision } from './rollout/decide-rollout.ts';
import type { Runner } from './runner.ts';
import type { PreparedVersion } from './versions.ts';

export interface ProgramParts extends SocketOwners {
  readonly plan: ProgramPlan;
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: Platform;
  /** Called with the bytes that the worker with this pid writes to stderr, in whole lines. */
  readonly onStderr: (bytes: Uint8Array, pid: number, hasPrefix: boolean) => void;
  /** Called with the bytes that it writes to a stdout that is forwarded, in whole lines. */
  readonly onStdout: (bytes: Uint8Array, pid: number, hasPrefix: boolean) => void;
  /** A folder that only this user can open, for the code cache of workers; null if there is none. */
  readonly privateFolder: () => string | null;
  /** Called with each event. `wallMs`: when it happened, in ms since 1970. */
  readonly onEvent: (event: MasterEvent, wallMs: number) => void;
  /** The log files of the master. */
  readonly logFiles: LogFilesLoader;
  /** Called when a watched file has changed and a reload is not enough: the program rests, or its workers do not overlap. */
  readonly onRestartWanted?: () => void;
  /** The error for a reload that is requested, or waited for, when a stop comes first. Default: that the master stops. */
  readonly stopped?: (action: string) => Error;
  /** The name by which what workers have left behind is found. Default: a new one. */
  readonly tree?: string;
}

export interface ManagedProgram {
  plan(): ProgramPlan;
  /** The name of the plan or, if it has none, a name after the first address. With port 0 that is known once it is bound. */
  name(): string;
  phase(): Program['phase'];
  /** Whether the program is started, or waits for the retry of its start, and was not told to stop. */
  isRunning(): boolean;
  /** Whether the program has ended by itself with one of the exit codes that say that its work is done. */
  hasExitedAsExpected(): boolean;
  /** Whether the program has a generation that serves, and was not asked to stop. */
  isServing(): boolean;
  /** The number that its next generation will have. */
  nextGeneration(): number;
  /** The number of the generation that a start waits for: the one that serves or is starting. If there is none, it is the next one. */
  startedGeneration(): number;
  /** The sockets that the program holds for this address, for use by another program; null if it holds none. */
  lend(wanted: ListenerPlan): HeldSockets | null;
  /** Looks up the command, as for every worker. Errors: `commandNotFound`, `commandNotExecutable`, `cwdMissing`, `envFileUnreadable`. */
  check(): void;
  /** Binds the listeners that are not held. Errors: `addressInUse`, `addressUnusable`. After an error, close() still has to be called. */
  bind(): Promise<void>;
  /** Begins to watch the paths of the plan, and reloads when they change. Errors: `notWatchable`. */
  watch(): Promise<void>;
  /** Starts a generation, at once if a failed start waits for its retry. Resolves when it serves or has failed. Rejects if the program is stopped first. */
  start(): Promise<ReloadResult>;
  /**
   * For a program with a generation that serves: starts the workers that wait for their restart. Resolves when a worker accepts, or they have failed.
   * Rejects if the program is stopped first.
   */
  serveAgain(): Promise<ReloadResult>;
  /** The result of the start that is under way, or of the next one. */
  nextStart(): Promise<ReloadResult>;
  /** Has the program, which was not started yet, count as stopped: an operator had stopped it before this master was started. */
  keepStopped(): void;
  /** Reports why the program cannot be started, although it was to be. */
  refuseStart(failure: Failure): void;
  reload(command: Omit<ReloadCommand, 'program'>): {
    readonly generation: number;
    readonly outcome: Promise<ReloadResult>;
  };
  scale(command: Omit<ScaleCommand, 'program'>): Scaled;
  /** Continues a reload that waits, or goes back. Errors: `noRollout`. */
  decide(decision: RolloutDecision): Decided;
  /**
   * Stops the program. `keepsListeners`: clients wait in the queues until it is started again. `isUrgent`: its workers are killed if it is stopping
   * already.
   */
  stop(cause: Cause, how?: { readonly keepsListeners?: boolean; readonly isUrgent?: boolean }): void;
  /** Binds the listeners that `plan` declares and the program does not hold. Nothing else changes before change(). Errors as bind(). */
  prepare(plan: ProgramPlan): Promise<PreparedVersion>;
  /** Changes the plan. With `prepared`, only generations that are started later run the new plan, so a reload or a start has to follow. */
  change(plan: ProgramPlan, prepared: PreparedVersion | null): void;
  /** The workers of a master that was killed, as the status shows them. */
  orphans: Rescue['orphans'];
  /** Asks the draining workers what they still have open; with `ofAll`, also the workers that serve. */
  askOpen(ofAll?: boolean): Promise<void>;
  /** Reports something that happened to the program outside of it. */
  announce(event: EventWithoutRelease): void;
  /** The output of the program's workers, until `signal` is aborted. */
  logs(request: LogsRequest, signal: AbortSignal): AsyncGenerator<LogRecord>;
  /** Called when the program is removed: followers of its output end. */
  endLogs(): void;
  openOf: Runner['openOf'];
  loadOf: Runner['loadOf'];
  served: Runner['served'];
  record(): OwnRecord;
  /** The latest lines of its workers, for another image of this process. */
  keptLines(): ProgramRecord['kept'];
  /**
   * Takes over everything from the previous image of this process. Has to be called before anything else. Errors: `upgradeFailed`,
   * `logFileUnusable`.
   */
  resume(record: ProgramRecord, resumeListener: ResumeListener): Promise<void>;
  suspendOutput: Runner['suspendOutput'];
  /** What the program is doing that cannot be handed over to another image of this process, in a few words; null if that is nothing. */
  unfinished(): string | null;
  /**
   * Closes the listeners, and stops watching unless `keepsWatch` is set. `isEnd`: this master ends. Workers of a killed master that still serve then go on
   * until their time is over.
   */
  close(how?: { readonly keepsWatch?: boolean; readonly isEnd?: boolean }): Promise<void>;
}
