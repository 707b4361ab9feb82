/** The events of programs and of the master: one closed union of types. The log, the control API and embedders render them; no code parses their text. */
import type { DrainReason } from './protocol.ts';
import type { AddressFields } from './format-address.ts';

/** How a process ended: an exit code, or the signal that ended it. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * Why a worker is replaced although it is ready: `figure` is the measured value, `bound` the limit, in bytes, ms or requests. For `watchdog`,
 * `figure` is for how long the worker has given no sign of life, in ms.
 */
export interface ReplacementCause {
  readonly reason: 'maxMemory' | 'maxLifetime' | 'maxRequests' | 'watchdog';
  readonly figure: number;
  readonly bound: number;
}

/** Where a request for a reload or a stop came from. */
export type Cause = 'signal' | 'control' | 'watch' | 'worker' | 'embedder' | 'schedule';

/** Why a scheduled program runs: because its time has come, in place of runs that were missed, or because of a request. */
export type RunCause = 'schedule' | 'missed' | 'request';

/**
 * How a run ended. `failed`: its exit code was none of `exitcodes`, or it could not be started. `timedOut`: it took longer than `run_timeout`.
 * `replaced`: the next run was due (`if_running = "kill"`). `stopped`: it was stopped by a request, or with the master.
 */
export type RunResult = 'succeeded' | 'failed' | 'timedOut' | 'replaced' | 'stopped';

/** The state of a worker. `terminating`: it got SIGTERM; `killing`: it got SIGKILL. */
export type WorkerPhase = 'starting' | 'ready' | 'draining' | 'terminating' | 'killing';

/** The state of a program. */
export type ProgramPhase =
  | 'idle'
  | 'starting'
  | 'backoff'
  | 'serving'
  | 'reloading'
  | 'probation'
  | 'stopping'
  | 'stopped'
  | 'exited'
  | 'failed';

/** Why a worker, and with it its generation, failed. */
export interface Failure {
  readonly reason: WorkerFailureReason | GenerationFailureReason;
  /** One sentence for people, without a full stop. */
  readonly message: string;
  /** What to do about the failure; null if nothing specific can be said. */
  readonly hint: string | null;
  /** For `notStarted`: the code of the error, or null if it has none. */
  readonly errorCode: string | null;
  readonly outcome: Outcome | null;
  /** The last lines that the worker wrote to stderr, at most 20, oldest first. */
  readonly stderrTail: readonly string[];
  /** For `tooManyErrors`, the errors that were counted. */
  readonly errorRate?: ErrorRate | undefined;
}

/** Why one worker failed. */
export type WorkerFailureReason = 'exited' | 'notReady' | 'notAdmitted' | 'notStarted';

/**
 * Why a whole generation was rolled back. `unhealthy`: one of its workers no longer answered the health path. `hung`: one of its workers gave no sign
 * of life (watchdog). `superseded`: another reload was requested while the generation had replaced a part of the old workers. `requested`: an
 * operator wanted the old generation.
 */
export type GenerationFailureReason = 'tooManyErrors' | 'unhealthy' | 'hung' | 'superseded' | 'requested';

/** How many of its requests a generation has answered with a status of 500 to 599. */
export interface ErrorRate extends RequestCounts {
  /** The time in which the requests were counted, in ms. */
  readonly overMs: number;
  /** The counts of the previous generation, for comparison; null if it had too few requests. */
  readonly previous: RequestCounts | null;
}

/** The answers of two generations in the same time. */
export interface ErrorCounts {
  readonly current: RequestCounts;
  readonly previous: RequestCounts;
}

/** A number of answered requests. */
export interface RequestCounts {
  readonly requests: number;
  /** How many of the requests were answered with a status of 500 to 599. */
  readonly serverErrors: number;
}

/** The release that a generation runs, with symlinks resolved when it was started. */
export interface Release {
  /** The working directory. */
  readonly cwd: string;
  /** The program's own file; null if there is none (`node -e`), or if it did not exist. */
  readonly file: string | null;
  /**
   * True if directory or file differ from those of the generation that served at the time, or if the file was written since then. Null if no
   * generation served.
   */
  readonly changed: boolean | null;
}

/** The worker that an event is about. `slot` is its place among the program's workers: 0, 1 … */
export interface WorkerIdentity {
  readonly generation: number;
  readonly slot: number;
  readonly pid: number | null;
}

/** A worker that changes from one state to another. */
export interface WorkerChange extends WorkerIdentity {
  readonly from: WorkerPhase | null;
  readonly to: WorkerPhase | 'exited';
  /** How long the worker was in `from`, in ms. */
  readonly durationMs: number;
}

export type MasterEvent =
  | {
      readonly event: 'masterStarted';
      readonly pid: number;
      readonly version: string;
      readonly control: string | null;
    }
  /** The master was told to upgrade: to replace its own program file, and Node.js, while the programs keep running. */
  | { readonly event: 'upgradeRequested'; readonly cause: Cause }
  /** The upgrade waits until this is over, because it could not be handed over. */
  | { readonly event: 'upgradeWaits'; readonly until: string }
  /** The master has not been upgraded, and runs as before. */
  | { readonly event: 'upgradeFailed'; readonly problem: string; readonly hint: string | null }
  /**
   * The master is upgraded: this is the first event of the new version. `from`, `nodeFrom`: the versions of graceful-run and Node.js until now.
   * `durationMs`: how long nothing was read from the workers.
   */
  | {
      readonly event: 'masterUpgraded';
      readonly pid: number;
      readonly from: string;
      readonly version: string;
      readonly nodeFrom: string;
      readonly node: string;
      readonly durationMs: number;
    }
  /**
   * The control socket is not where it should be. `elsewhere`: it is not in the preferred directory. `restored`: it was removed, and created again.
   * `lost`: it was removed, and cannot be created again. `left`: it cannot be removed when the master ends.
   */
  | {
      readonly event: 'controlSocketChanged';
      readonly change: 'elsewhere' | 'restored' | 'lost' | 'left';
      readonly control: string;
      readonly problem: string | null;
    }
  /** /metrics is served on a TCP address. `isSecure`: over HTTPS. */
  | ({ readonly event: 'metricsServed'; readonly isSecure: boolean } & AddressFields)
  /** The files of the certificate have changed and cannot be used: the previous certificate is still used. */
  | { readonly event: 'metricsFailed'; readonly problem: string }
  /** The master has bound an address. `listener`: the listener's name. */
  | ({ readonly event: 'listenerBound'; readonly listener: string } & AddressFields)
  | { readonly event: 'listenersClosed' }
  | {
      readonly event: 'generationStarted';
      readonly generation: number;
      readonly workers: number;
      readonly release: Release | null;
    }
  /** The generation serves: each of its workers has confirmed that it accepts connections. */
  | {
      readonly event: 'generationReady';
      readonly generation: number;
      readonly durationMs: number;
      readonly release: Release | null;
      /** How long the previous generation can take over again, in ms; 0 if it cannot. */
      readonly probationMs: number;
      /** True for a program of the type `oneshot`: the generation runs. Missing for others. */
      readonly isOneshot?: boolean | undefined;
    }
  /** The probation of the generation is over, and the previous one drains. `durationMs` is how long the probation lasted. */
  | {
      readonly event: 'generationSettled';
      readonly generation: number;
      readonly durationMs: number;
      /**
       * True if the probation was cut short: by a reload, by a change of the number of workers, or because no old worker is left that could take over
       * again.
       */
      readonly isEarly: boolean;
    }
  /** A part of the new workers serve in the place of old ones, `serving` of `workers`. The next ones are started in `pauseMs`. */
  | {
      readonly event: 'rolloutAdvanced';
      readonly generation: number;
      readonly serving: number;
      readonly workers: number;
      /** True if these workers are the canary: the first ones, which serve alone for a time. */
      readonly isCanary: boolean;
      readonly pauseMs: number;
    }
  /**
   * The generation was rolled back, and generation `to` accepts connections again. It had served, as a whole or in part, and crashed on probation or
   * during a reload in steps, was unhealthy, failed too many requests (rollback_on), or is not wanted any more.
   */
  | {
      readonly event: 'generationRolledBack';
      readonly generation: number;
      readonly to: number;
      readonly durationMs: number;
      /** How many of the generation's workers keep serving, because the old workers in their slots are gone. 0 unless the reload was in steps. */
      readonly remaining: number;
      readonly release: Release | null;
      readonly failure: Failure;
    }
  /** The generation failed before it served. */
  | {
      readonly event: 'generationFailed';
      readonly generation: number;
      /** The generation that keeps serving; null if none does, because this one is the first. */
      readonly serving: number | null;
      readonly durationMs: number;
      readonly release: Release | null;
      readonly failure: Failure;
    }
  /** A reload was requested. `generation` is the number of the generation that this request starts. */
  | {
      readonly event: 'reloadRequested';
      readonly cause: Cause;
      readonly generation: number;
      readonly pending: boolean;
    }
  | { readonly event: 'stopRequested'; readonly cause: Cause; readonly urgent: boolean }
  /**
   * The program has no worker left. `failure`: why it was given up, or null if it was not. `outcome`: how it ended, if its workers have ended by
   * themselves and are not to be started again; otherwise null.
   */
  | {
      readonly event: 'stopped';
      readonly failure: Failure | null;
      readonly outcome: Outcome | null;
      /** True for a program of the type `oneshot`. Missing for others. */
      readonly isOneshot?: boolean | undefined;
    }
  /** The start of the program has failed (`failures` times in a row), and is tried again, at most `retries` times in all. Clients wait. */
  | {
      readonly event: 'startRetryScheduled';
      /** The generation that has failed. */
      readonly generation: number;
      readonly failures: number;
      readonly retries: number;
      readonly delayMs: number;
    }
  /** The program was to be started, and cannot be: no worker was started. */
  | { readonly event: 'startRefused'; readonly failure: Failure }
  /** A run of a scheduled program begins. */
  | { readonly event: 'runStarted'; readonly cause: RunCause }
  /** A run of a scheduled program has ended. `nextAt`: when the next one is due, in ms since 1970; null if there is none. */
  | {
      readonly event: 'runEnded';
      readonly result: RunResult;
      /** How the run ended; null if it could not be started, or was stopped. */
      readonly outcome: Outcome | null;
      readonly durationMs: number;
      readonly nextAt: number | null;
    }
  /** A run takes longer than `run_timeout` allows, and is stopped. */
  | { readonly event: 'runTimedOut'; readonly timeoutMs: number; readonly durationMs: number }
  /** A run was due and does not begin: the previous one is still under way, or programs that it depends on do not serve (`programs`). */
  | {
      readonly event: 'runSkipped';
      readonly reason: 'stillRunning' | 'dependency';
      /** When the run was due, in ms since 1970. */
      readonly dueAt: number;
      readonly programs: readonly string[];
    }
  /** The times of runs have passed while the machine slept, or the master did not run. `isMadeUp`: the program runs once for all of them. */
  | {
      readonly event: 'runsMissed';
      /** The number of runs that were missed. At most 100 are counted. */
      readonly count: number;
      /** When the first of the runs was due, in ms since 1970. */
      readonly firstAt: number;
      readonly isMadeUp: boolean;
    }
  /** An operator had stopped the program before this master was started, so it is not started. */
  | { readonly event: 'keptStopped' }
  /** The program is started once these programs serve or, if they are oneshots, have ended as expected. */
  | {
      readonly event: 'startWaits';
      readonly programs: readonly string[];
      /** Those of the programs that are oneshots. Missing if none is. */
      readonly oneshots?: readonly string[] | undefined;
    }
  /** The config file was read again, or a new plan was given by code, and the changes are being applied. The lists contain names of programs. */
  | {
      readonly event: 'planChanged';
      /** The config file; null if the plan was given by code. */
      readonly file: string | null;
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly changed: readonly string[];
    }
  /** The config file was read again, or a new plan was given by code, and it has problems: nothing is changed. */
  | { readonly event: 'planRefused'; readonly file: string | null; readonly problems: readonly string[] }
  /** Which programs operators want to run (`remember`) cannot be read from the file, or written to it. A file that cannot be read is ignored. */
  | { readonly event: 'rememberedFailed'; readonly file: string; readonly problem: string }
  | { readonly event: 'workerCountChanged'; readonly fromCount: number; readonly toCount: number }
  | {
      readonly event: 'restartScheduled';
      readonly generation: number;
      readonly slot: number;
      readonly failures: number;
      readonly delayMs: number;
    }
  /**
   * No worker takes the place of this one. `exited`: it has ended by itself and is not to be started again. `crashLoop`: workers of the program have
   * died too often.
   */
  | ({
      readonly event: 'workerNotReplaced';
      readonly why: 'exited' | 'crashLoop';
      readonly outcome: Outcome | null;
      /** True for a program of the type `oneshot`. Missing for others. */
      readonly isOneshot?: boolean | undefined;
    } & WorkerIdentity)
  /** The worker serves and is to be replaced: another one starts beside it. */
  | ({ readonly event: 'replacementStarted'; readonly cause: ReplacementCause } & WorkerIdentity)
  /** The new worker (`successor`, its pid) accepts connections, and the old one drains. */
  | ({
      readonly event: 'workerReplaced';
      readonly successor: number | null;
      readonly cause: ReplacementCause;
      readonly durationMs: number;
    } & WorkerIdentity)
  /** The new worker did not become ready, or has ended: the old one keeps serving, and the replacement is tried again. */
  | ({
      readonly event: 'replacementFailed';
      readonly successor: number | null;
      readonly cause: ReplacementCause;
      readonly failures: number;
      readonly delayMs: number;
    } & WorkerIdentity)
  /**
   * The process that the pid file of the worker names, `pid`, is the worker from now on. `before`: the pid of the worker until now. `running`: the
   * process ran already. `started`: the command has started it. `changed`: it has taken over from another process.
   */
  | ({
      readonly event: 'workerAdopted';
      readonly before: number | null;
      readonly how: 'running' | 'started' | 'changed';
    } & WorkerIdentity)
  /** The worker gave no sign of life for as long as `watchdog` allows, or has said itself that it is hung. */
  | ({
      readonly event: 'workerHung';
      /** Time since the worker's last sign of life, in ms. */
      readonly silentMs: number;
      readonly boundMs: number;
      /** True if the worker has reported it itself: WATCHDOG=trigger of sd_notify(3). */
      readonly isTriggered: boolean;
      /** Where the worker's JavaScript is, the innermost function first. Empty if that is not known. */
      readonly stack: readonly string[];
      /** Why there is no stack; null if there is one, or if the worker is not Node.js. */
      readonly problem: string | null;
      /** What the worker's main thread does: `runs`, or the function of the kernel in which it waits. Null if that is not known. */
      readonly doing: string | null;
    } & WorkerIdentity)
  /** A process of the worker has begun to exit, and does not complete it: it is killed. */
  | ({
      readonly event: 'exitHung';
      /** The pid of the process. Under `npm start` it may be another one than the worker's `pid`. */
      readonly process: number;
      /** The exit code of the process. */
      readonly code: number;
      /** Time since the process began to exit, in ms. */
      readonly waitedMs: number;
    } & WorkerIdentity)
  | ({ readonly event: 'workerStarted' } & WorkerChange)
  /** A request for the health path failed, and is retried. Announced only if the reason has changed. */
  | ({ readonly event: 'workerNotReadyYet'; readonly reason: string } & WorkerIdentity)
  | ({ readonly event: 'workerReady' } & WorkerChange)
  /** The program ended unexpectedly, and the command itself, a shell for example, started it again: the new process is ready. */
  | ({ readonly event: 'workerRestartedItself'; readonly failure: Failure } & WorkerIdentity)
  /** The program ended unexpectedly, and the command, a shell for example, continues without it. */
  | ({ readonly event: 'workerLostProgram'; readonly failure: Failure } & WorkerIdentity)
  /** The worker has confirmed that it accepts connections. */
  | ({ readonly event: 'workerAdmitted' } & WorkerIdentity)
  | ({ readonly event: 'workerDraining'; readonly reason: DrainReason } & WorkerChange)
  /** The worker is told to keep its connections and to accept no new ones while a newer generation is on probation. */
  | ({ readonly event: 'workerPaused' } & WorkerIdentity)
  /** The worker is told to accept connections again. */
  | ({ readonly event: 'workerResumed' } & WorkerIdentity)
  /** The worker cannot pause, so it drains. */
  | ({ readonly event: 'workerNotPaused'; readonly problem: string } & WorkerIdentity)
  /** A worker that was told to drain or to pause no longer accepts connections. */
  | ({ readonly event: 'workerAcceptsNoMore' } & WorkerIdentity)
  /** `what`, part of the application's own clean-up, was not finished at the end of the drain timeout. */
  | ({ readonly event: 'workerCleanUpCut'; readonly what: string } & WorkerIdentity)
  /** A stop or a drain takes long. The fields say what it waits for. */
  | {
      readonly event: 'stillDraining';
      /** Whether a request to stop waits for it. The same request again stops at once. */
      readonly stopping: boolean;
      readonly workers: number;
      /** HTTP/1 requests in flight; null if not every worker has reported them. */
      readonly requests: number | null;
      readonly connections: number | null;
      /** How many of the workers only run the application's own clean-up; null if not every worker has reported it. */
      readonly cleaningUp: number | null;
      /** Time until the last of the workers is ended by a signal, in ms. */
      readonly leftMs: number;
    }
  /** The worker had still not exited, and was sent this signal. */
  | ({ readonly event: 'workerTerminated'; readonly signal: string } & WorkerChange)
  | ({
      readonly event: 'workerKilled';
      readonly reason:
        | 'notReady'
        | 'notAdmitted'
        | 'rollback'
        | 'drainTimeout'
        | 'restartedItself'
        | 'stop'
        | 'reload'
        | 'scaleDown'
        | 'replacement'
        | 'hung';
    } & WorkerChange)
  /** The worker ended as requested, or while it drained. `served`, `migrated`, `drained` and `cut` are null if it could not report them. */
  | ({
      readonly event: 'workerExited';
      readonly outcome: Outcome;
      readonly served: number | null;
      /** Connections that moved to other workers. */
      readonly migrated: number | null;
      /** Connections that ended by themselves while it drained. */
      readonly drained: number | null;
      readonly cut: number | null;
      /** How many clean-ups of the application (signal handlers, drain hooks) were cut. */
      readonly cleanUpsCut: number;
      /** The failure of a worker that crashed while it drained; null if it ended as requested. */
      readonly failure: Failure | null;
    } & WorkerChange)
  /** The worker ended unexpectedly, or could not be started. */
  | ({ readonly event: 'workerFailed'; readonly failure: Failure } & WorkerChange)
  /** The connections of a draining worker cannot move to another one: they end as with `--no-migrate`. */
  | ({ readonly event: 'migrationFailed'; readonly problem: string } & WorkerIdentity)
  | ({ readonly event: 'undeclaredListen'; readonly address: string } & WorkerIdentity)
  /** The program asked for one address but is reachable on every address, because the listener is. */
  | ({ readonly event: 'wideListen'; readonly address: string } & WorkerIdentity)
  /** The program asked for an address that the listener does not have, because the first generation asked for another one. */
  | ({ readonly event: 'narrowListen'; readonly address: string } & WorkerIdentity)
  /** Another process holds the address. Binding is retried for `patienceMs`. */
  | ({ readonly event: 'addressBusy'; readonly patienceMs: number } & AddressFields)
  /** This machine does not have an address of the listener's host name, and the master does not listen on it. */
  | ({
      readonly event: 'addressLeftOut';
      readonly listener: string;
      readonly address: string;
    } & AddressFields)
  /** Another master with this name is stopping, and this master waits until it has exited. `holder`: its pid. */
  | { readonly event: 'nameBusy'; readonly holder: number }
  /** The master was started with this socket, by systemd for example, and no listener of the plan uses it. `socket`: its name. */
  | ({ readonly event: 'inheritedSocketUnused'; readonly socket: string | null } & AddressFields)
  /** Workers whose master was killed serve at the address, and this master has taken their socket over. `pids`: these workers. */
  | ({
      readonly event: 'listenerRescued';
      readonly listener: string;
      readonly pids: readonly number[];
    } & AddressFields)
  /** Workers whose master was killed were told to drain, because a generation of this master serves (`problem` is null), because it cannot take their socket over, because their time is over, or because their program is stopped. */
  | { readonly event: 'orphansDrained'; readonly pids: readonly number[]; readonly problem: string | null }
  /** Workers whose master was killed still held the address after their drain timeout: this master has killed them. */
  | ({ readonly event: 'orphansKilled'; readonly pids: readonly number[] } & Pick<
      AddressFields,
      'port' | 'path'
    >)
  /** Processes that inherited the listener outlived the last worker. The socket was closed for all of them. */
  | ({ readonly event: 'listenerLeftBehind'; readonly pids: readonly number[] } & Pick<
      AddressFields,
      'port' | 'path'
    >)
  /** The program has stopped. Its workers had left these processes behind, which got SIGKILL. */
  | { readonly event: 'leftoversKilled'; readonly pids: readonly number[] }
  /**
   * The worker has ended, and processes that it has started hold the listener, in sessions of their own. `killed`: the worker was never ready, or has
   * exited by itself with code 0, so they were killed. Otherwise they are left running, and may accept connections.
   */
  | ({
      readonly event: 'listenerKept';
      readonly pids: readonly number[];
      readonly killed: boolean;
    } & WorkerIdentity)
  /**
   * A worker has closed the listener for all processes (shutdown(2)), and the connections that waited in its queue were reset. `problem`: why it
   * could not be opened again; null if it was.
   */
  | ({
      readonly event: 'listenerShutDown';
      readonly listener: string;
      readonly problem: string | null;
    } & AddressFields)
  /**
   * Connections wait in an accept queue (`reuse_port`) that no worker has: it was given up while its worker had crashed or did not accept, or they came
   * late. A worker is started that serves them, and then drains. `slot`: the number of the queue.
   */
  | {
      readonly event: 'queueLeftBehind';
      readonly generation: number;
      readonly slot: number;
      readonly connections: number;
    }
  /** PORT in the environment or the environment file is not the port that the master holds: workers get `port`. */
  | { readonly event: 'portChanged'; readonly source: 'environment' | 'file'; readonly port: number }
  | ({ readonly event: 'messageRejected'; readonly problem: string } & WorkerIdentity)
  /** A hook of the program has ended. `hook`: its name. `problem`: why it failed, or null if it did not. `output`: the last lines that it wrote, at most 20. */
  | {
      readonly event: 'hookEnded';
      readonly hook: string;
      readonly problem: string | null;
      readonly durationMs: number;
      readonly output: readonly string[];
    }
  /** An event did not arrive at the webhook. `about`: the name of that event. */
  | {
      readonly event: 'webhookFailed';
      readonly about: string;
      readonly problem: string;
      readonly attempts: number;
    }
  /** Too many events waited for the webhook: `count` of them were not sent. */
  | { readonly event: 'webhooksDropped'; readonly count: number }
  /** Too many hooks waited for their turn: `count` of them were not run. */
  | { readonly event: 'hooksDropped'; readonly count: number }
  | { readonly event: 'fileChanged'; readonly path: string }
  | { readonly event: 'watchStarted'; readonly paths: readonly string[] }
  | { readonly event: 'watchFailed'; readonly problem: string }
  /**
   * Lines of workers are not written to the log file, and are counted: it cannot be written (`problem` says why), or it is written too slowly.
   * Reported once, until `outputResumed`.
   */
  | {
      readonly event: 'outputLost';
      readonly path: string;
      readonly reason: 'cannotWrite' | 'tooFast';
      readonly problem: string | null;
    }
  /** Lines are written to the log file again. The fields say how much is missing in it. */
  | {
      readonly event: 'outputResumed';
      readonly path: string;
      /** The number of lines that are missing. */
      readonly lines: number;
      /** The size of the missing lines, in bytes. */
      readonly bytes: number;
    }
  /**
   * The log file is full, or its day is over, and it cannot be rotated, or its backup cannot be compressed: it keeps growing. Reported once, until
   * that works again.
   */
  | { readonly event: 'logRotationFailed'; readonly path: string; readonly problem: string }
  /** Log files were opened again, on SIGUSR1. */
  | {
      readonly event: 'logsReopened';
      readonly paths: readonly string[];
      /** Why other log files could not be opened: they are still written as they were open. */
      readonly problems: readonly string[];
    }
  /** The lifecycle got an input that its tables call impossible: a bug in graceful-run. The program's state is unchanged. */
  | { readonly event: 'internalError'; readonly problem: string };

/** An event as the lifecycle announces it, without the release, which it does not know. */
export type EventWithoutRelease = WithoutRelease<MasterEvent>;
type WithoutRelease<One> = One extends MasterEvent ? Omit<One, 'release'> : never;

/** An event with its program and time, as the log and the control socket show it. */
export type EventRecord = MasterEvent & {
  readonly program: string;
  /** Milliseconds since 1970. */
  readonly time: number;
};
