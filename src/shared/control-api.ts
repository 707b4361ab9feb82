/**
 * The control API: HTTP and JSON over the control socket. Routes, and the shapes that the master answers with.
 *
 *   GET  /v1/master                          200 MasterStatus
 *   GET  /v1/programs                        200 ProgramList: all programs, in the order of the plan. With ?load, also for each program and for
 *                                            GET /v1/status: workers are asked for their load, which takes up to 0.3 s
 *   GET  /v1/programs/NAME                   200 Status
 *   POST /v1/programs/NAME/start   {wait}    202 ReloadAccepted · with wait: 200 or 409 ReloadResult. One that runs already: 200 at once
 *   POST /v1/programs/NAME/reload  {wait}    202 ReloadAccepted · with wait: 200 ReloadResult when it went well, 409 ReloadResult when it failed
 *   POST /v1/programs/NAME/promote           200 Decided: continues a reload that waits between two steps, or ends the probation · 409 `noRollout`
 *   POST /v1/programs/NAME/rollback          200 Decided: goes back to the old generation, during a reload or a probation · 409 `noRollout`
 *   POST /v1/programs/NAME/restart {wait}    as start; its workers are stopped first, and clients wait in the listener's queue
 *   POST /v1/programs/NAME/scale   {workers} 200 Scaled
 *   POST /v1/programs/NAME/stop    {wait}    202 StopAccepted; with wait the answer ends when its workers have ended
 *   GET  /v1/programs/NAME/events            200, its events, one a line (application/x-ndjson), until either side goes
 *   GET  /v1/programs/NAME/logs              200, LogRecord, one a line, of its workers' output. Query: lines, since, stream, follow (see LogLine)
 *   POST /v1/update {dryRun}                 200 UpdateResult · 409 UpdateResult when a program has failed · 422 ErrorAnswer when the file is wrong
 *   POST /v1/upgrade                         no answer: the master is replaced, and the connection ends; GET /v1/master then has more `upgrades`.
 *                                            409 `upgradeFailed`: the master runs as before
 *   POST /v1/stop   {wait}                   202 StopAccepted; stops all programs and the master; with wait the answer ends with the master
 *   GET  /v1/events                          200, the events of all programs
 *   GET  /metrics                            200, text for Prometheus
 *   GET  /v1/status, POST /v1/reload {wait}, POST /v1/scale {workers}: those of the only program; 409 `programAmbiguous` where there are several
 *
 * An error answers 4xx or 5xx with ErrorAnswer.
 */
import type {
  ErrorCounts,
  Failure,
  Outcome,
  ProgramPhase,
  Release,
  RunCause,
  RunResult,
  WorkerPhase,
} from './events.ts';
import type { AddressFields } from './format-address.ts';

export const routes = {
  status: '/v1/status',
  reload: '/v1/reload',
  scale: '/v1/scale',
  stop: '/v1/stop',
  events: '/v1/events',
  master: '/v1/master',
  programs: '/v1/programs',
  update: '/v1/update',
  upgrade: '/v1/upgrade',
} as const;

/** The route of the metrics for Prometheus. It has no version, because everything that scrapes requests this path. */
export const metricsRoute = '/metrics';

/** The actions on one program: the last part of their routes. */
export const programActions = [
  'start',
  'reload',
  'promote',
  'rollback',
  'restart',
  'scale',
  'stop',
  'events',
  'logs',
] as const;
export type ProgramAction = (typeof programActions)[number];

/** Returns the route of a program, or of an action on it. */
export function programRoute(name: string, action: ProgramAction | null = null): string {
  return `${routes.programs}/${name}${action === null ? '' : `/${action}`}`;
}

/**
 * The states that a request for a reload can wait for. `serving`: only the new generation accepts new connections. `settled`: its probation is over,
 * too. `drained`: in addition, no worker of an earlier generation is left. In a request, `true` means `serving`.
 */
export const reloadWaits = ['serving', 'settled', 'drained'] as const;
export type ReloadWait = (typeof reloadWaits)[number];

/**
 * A line that a worker wrote. In the query of the request: `lines`, how many of the last ones; `since`, ms since 1970; `stream`, `stdout` or
 * `stderr`; `follow=true`: the answer continues with lines that follow.
 */
export interface LogLine {
  /** The stream of the line; null if it is from a file of both streams, which does not say. */
  readonly stream: 'stdout' | 'stderr' | null;
  /** The worker's generation; null if it is not known, because the line is older than what the master remembers, and the file does not say. */
  readonly generation: number | null;
  /** The worker's slot; null if it is not known. */
  readonly slot: number | null;
  /** The pid of the worker; null if it is not known. */
  readonly worker: number | null;
  /** When the master read the line, in ms since 1970; null if that is not known. */
  readonly time: number | null;
  /** The text of the line, without its line break. Bytes that are not UTF-8 are replaced. */
  readonly line: string;
}

/** A notice for the reader of a log: why there are no lines of stdout, or that some lines were skipped. */
export interface LogNotice {
  /** A sentence for people. */
  readonly notice: string;
}

export type LogRecord = LogLine | LogNotice;

/** The maximum number of workers of a program. */
export const workersLimit = 1024;

export interface WorkerStatus {
  readonly generation: number;
  readonly slot: number;
  readonly pid: number | null;
  /** The pid of the worker's process that serves, if that is not `pid`: under `npm start` or a shell, for example. Null if it is `pid`, or not known yet. */
  readonly servingPid: number | null;
  readonly state: WorkerPhase;
  /** True if the worker accepts new connections. */
  readonly isAccepting: boolean;
  /** True if the worker gives no sign of life, and is to be replaced (`watchdog`). */
  readonly isHung: boolean;
  /** What the worker can do; null before it is ready. */
  readonly capabilities: WorkerCapabilities | null;
  /** How long the worker has been in this state, in ms. */
  readonly inStateMs: number;
  readonly uptimeMs: number;
  /**
   * The release that the worker runs, if it is not that of its generation: the worker has replaced a crashed one after the release was switched.
   * Otherwise null.
   */
  readonly otherRelease: Release | null;
  /** What a worker that drains or terminates still has open; otherwise null. */
  readonly draining: DrainingStatus | null;
  /** The worker's load, if it was requested (`?load`) and the worker has answered; otherwise null. */
  readonly load: LoadStatus | null;
}

/** The load of a Node.js worker. */
export interface LoadStatus {
  /** HTTP/1 requests in flight. */
  readonly requests: number;
  /** Open connections. */
  readonly connections: number;
  /** Requests that the worker has answered in its life. */
  readonly served: number;
  /** Requests that the worker has answered with a status of 500 to 599. */
  readonly serverErrors: number;
  readonly eventLoop: EventLoopStatus;
}

/** The load of the worker's event loop since the last time that it was requested. */
export interface EventLoopStatus {
  /** The share of the time in which the event loop was busy, 0 to 1. */
  readonly utilization: number;
  /** How late the worker's timers were on average, in ms. Null the first time: it is measured from then on. */
  readonly delayMeanMs: number | null;
  /** How late 99% of the worker's timers were at most, in ms. */
  readonly delayP99Ms: number | null;
  /** How late the worker's latest timer was, in ms. */
  readonly delayMaxMs: number | null;
}

/** What the workers of a program have served, including those that have ended. */
export interface ProgramLoad {
  /** Requests that the workers have answered. */
  readonly served: number;
  /** Requests that the workers have answered with a status of 500 to 599. */
  readonly serverErrors: number;
}

/**
 * What a worker can do. Node.js workers have all three capabilities, unless their connections are not to move. Other programs have none, except that
 * they are gated with `reuse_port`.
 */
export interface WorkerCapabilities {
  /** True if the worker gets connections only once its whole generation is ready, and can be paused. Otherwise it accepts as soon as it runs. */
  readonly isGated: boolean;
  /** True if the worker's connections move to other workers. */
  readonly migrates: boolean;
  /** True if the worker reports what it has open, and what it served. */
  readonly reports: boolean;
}

export interface DrainingStatus {
  /**
   * Time until the worker gets the next signal, in ms: the next one of `stopsignal`, or SIGKILL; by default SIGTERM while it drains, and SIGKILL while it
   * terminates.
   */
  readonly leftMs: number;
  /** HTTP/1 requests in flight; null if the worker does not report them. */
  readonly requests: number | null;
  /** Open connections; null if the worker does not report them. */
  readonly connections: number | null;
  /** True if the rest of the drain is the application's own clean-up (drain hooks, signal handlers); null if the worker does not report it. */
  readonly isCleaningUp: boolean | null;
}

/** A slot of the serving generation whose worker has failed and is to be started again. */
export interface PendingRestart {
  readonly slot: number;
  /** Failures in a row. */
  readonly failures: number;
  /** Time until the next start, in ms. */
  readonly inMs: number;
}

export interface EmptySlot {
  readonly slot: number;
  /** How the slot's worker ended; null if it was not ready, or could not be started. */
  readonly outcome: Outcome | null;
  /** True if workers have died too often (crash_loop); false if the worker has ended by itself and was not to be started again. */
  readonly isGivenUp: boolean;
}

/** The result of a start, reload or restart. */
export interface ReloadResult {
  readonly generation: number;
  readonly ok: boolean;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  readonly durationMs: number;
  readonly failure: Failure | null;
  /** The release that the generation runs, or was to run. */
  readonly release: Release | null;
  /** How long the probation lasts, in ms, if the generation is on probation; otherwise 0. */
  readonly probationMs: number;
  /** The generation that serves after the reload: this one, or the previous one; null if none serves. */
  readonly serving: number | null;
  /** The generation that took over again after this one had begun to serve; null if none did. */
  readonly rolledBackTo: number | null;
  /** How many workers of this generation keep serving after it went back, because the old workers in their slots are gone. */
  readonly remaining: number;
}

/** The worker of the serving generation that was the last to exit unexpectedly. */
export interface WorkerCrash {
  readonly generation: number;
  readonly slot: number;
  /** The pid of the worker; null if it could not be started. */
  readonly pid: number | null;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  readonly failure: Failure;
}

/** The states of Supervisor, which its users and their tools know: a view of a program's phase. `UNKNOWN` is what a client shows if it gets no answer. */
export const programStates = [
  'STOPPED',
  'STARTING',
  'RUNNING',
  'BACKOFF',
  'STOPPING',
  'EXITED',
  'FATAL',
  'UNKNOWN',
] as const;
export type ProgramState = (typeof programStates)[number];

/**
 * The phase of a program, in our own terms. `serving` and `reloading`: at least one of its workers accepts connections. `restarting`: none does,
 * because they have crashed; they are started again. `backoff`: its start has failed, and is tried again. `exited`: its workers have ended by
 * themselves and are not to be started again. `failed`: it was given up. `scheduled`: it waits for the time of its next run.
 */
export type ShownPhase = Exclude<ProgramPhase, 'probation'> | 'restarting' | 'scheduled';

/** The schedule of a program that runs by the clock. Times are in ms since 1970. */
export interface ScheduleStatus {
  readonly expression: string;
  /** The time zone of the schedule; null for that of the machine. */
  readonly timezone: string | null;
  /** The time of the next run; null if the program is stopped, or if its time never comes again. */
  readonly nextAt: number | null;
  /** The run that is under way; null if there is none. */
  readonly run: { readonly startedAt: number; readonly cause: RunCause } | null;
  /** True if another run begins when that run has ended. */
  readonly isPending: boolean;
  /** The run that ended last since the master was started; null if there was none. */
  readonly lastRun: {
    readonly startedAt: number;
    readonly durationMs: number;
    readonly result: RunResult;
    /** How the run ended; null if it could not be started, or was stopped. */
    readonly outcome: Outcome | null;
  } | null;
}

export interface MasterStatus {
  /** The name of the master's control socket. */
  readonly name: string;
  readonly pid: number;
  readonly version: string;
  readonly uptimeMs: number;
  /** True if the master was told to stop, and with it all of its programs. */
  readonly isStopping: boolean;
  /** A word that is in every line of the master's log, and in no line of a worker; null if the master writes no log of its own. */
  readonly logId: string | null;
  /** The absolute path of the config file from which the plan was read; null if the plan came from the command line, or from code. */
  readonly file: string | null;
  /** How often the master has been upgraded since it was started. */
  readonly upgrades: number;
  /** The version of Node.js that runs the master. */
  readonly node: string;
}

/** The progress of a reload in steps. */
export interface RolloutStatus {
  /** The new generation. */
  readonly generation: number;
  /** The number of the generation's workers that accept connections. */
  readonly serving: number;
  readonly workers: number;
  /** True if the first of the workers serve alone for a time. */
  readonly isCanary: boolean;
  /** Time until the next workers are started, in ms; null if they are being started. */
  readonly nextInMs: number | null;
}

export interface ProgramList {
  readonly master: MasterStatus;
  readonly programs: readonly Status[];
}

export interface Status {
  readonly program: string;
  /** The group of the program; null if it is in none. */
  readonly group: string | null;
  /** `server`: it has an address. `worker`: it has none. `oneshot`: it has none either, and ends by itself. */
  readonly type: 'server' | 'worker' | 'oneshot';
  readonly state: ProgramState;
  readonly phase: ShownPhase;
  /** True if the program is to run: it was started, and was not stopped by a request. */
  readonly isWanted: boolean;
  /** Programs of the plan that have to serve before this one is started, and do not serve yet. */
  readonly waitsFor: readonly string[];
  /** The progress while a new generation replaces the old one in steps, and a part of it serves; otherwise null. */
  readonly rollout: RolloutStatus | null;
  /** The generation that can take over again, and for how long, while the generation that serves is on probation; otherwise null. */
  readonly probation: { readonly previous: number; readonly remainingMs: number } | null;
  /** The answers of the new generation and of the old one since the new one began to serve, while they are counted (`rollback_on`); otherwise null. */
  readonly errors: ErrorCounts | null;
  /** The generation that serves; null before the first one is ready. */
  readonly generation: number | null;
  /** The release that the serving generation runs. */
  readonly release: Release | null;
  readonly command: readonly string[];
  readonly master: MasterStatus;
  readonly listeners: readonly ({
    readonly name: string;
    /** True if each worker has a listening socket of its own for this address, instead of a share of one. */
    readonly reusePort: boolean;
  } & AddressFields)[];
  readonly workersWanted: number;
  readonly workers: readonly WorkerStatus[];
  /** Workers that have failed and wait for their next start. While no worker is ready, clients wait too. */
  readonly restarts: readonly PendingRestart[];
  /**
   * The workers of a master that was killed, which serve on the listeners of this program until a generation of its own does, or their time is over;
   * otherwise null.
   */
  readonly orphans: { readonly pids: readonly number[]; readonly remainingMs: number } | null;
  /** Slots of the serving generation whose worker has ended and is not replaced. */
  readonly emptySlots: readonly EmptySlot[];
  /** When the start that has failed is tried again; null if it is not. */
  readonly retry: { readonly failures: number; readonly inMs: number } | null;
  /** How the last worker ended, if the program's workers have ended by themselves and are not to be started again; otherwise null. */
  readonly exit: (Outcome & { readonly isExpected: boolean }) | null;
  /** The schedule of the program; null if it does not run by the clock. */
  readonly schedule: ScheduleStatus | null;
  readonly reloadPending: boolean;
  /** The load of the program, if it was requested (`?load`) and the workers are Node.js; otherwise null. */
  readonly load: ProgramLoad | null;
  readonly lastReload: ReloadResult | null;
  /** The last crash of a worker; null if no worker of a generation that served has crashed. */
  readonly lastCrash: WorkerCrash | null;
}

export interface ReloadAccepted {
  /** The number of the generation that this request starts. */
  readonly generation: number;
}

/** The result of an operator's decision about a new generation. */
export interface Decided {
  /** The generation that the program continues with, or goes back to. */
  readonly generation: number;
}

/** The number of workers that are wanted, and the number before. */
export interface Scaled {
  readonly workers: number;
  readonly before: number;
}

export interface StopAccepted {
  readonly pid: number;
}

/** The difference between two plans. */
export interface PlanDifference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly ProgramChange[];
  /** Keys of `[master]` that differ. They take effect when the master is started again. */
  readonly master: readonly string[];
}

export interface ProgramChange {
  readonly program: string;
  /** The keys that differ, as the config file writes them. */
  readonly keys: readonly string[];
  /**
   * How the changes take effect. `nothing`: at once. `reload`: with new workers, in a reload. `restart`: the workers have to stop first, because the
   * old and the new listener exclude each other.
   */
  readonly needs: 'nothing' | 'reload' | 'restart';
  /** Those of `keys` that take effect when the master is started again. */
  readonly later: readonly string[];
  /** Whether the program is a oneshot that runs again with the changes. */
  readonly runsAgain: boolean;
}

export interface UpdateResult {
  /** The config file; null if the plan was given by code. */
  readonly file: string | null;
  readonly difference: PlanDifference;
  /** True if the plan was applied; false for a dry run. */
  readonly applied: boolean;
  /** The result for each program that was started, reloaded, restarted or removed. Empty if the plan was not applied. */
  readonly programs: readonly UpdatedProgram[];
}

export interface UpdatedProgram {
  readonly program: string;
  /** What was done with the program. `scheduled`: it runs when its schedule says so. */
  readonly done: 'started' | 'scheduled' | 'reloaded' | 'restarted' | 'changed' | 'removed';
  /** Why the program does not serve as the new plan wants it; null if it does. */
  readonly problem: string | null;
}

export interface ErrorAnswer {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    /** For `planInvalid`: everything that is wrong with the file. */
    readonly problems?: readonly PlanProblem[];
  };
}

/** A problem of a plan. Lines and columns count from 1; they are null if there is none to name. */
export interface PlanProblem {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** The key as the file writes it: `program.shop.port`. */
  readonly key: string | null;
  /** What was expected, or what is wrong, in one sentence without a full stop. */
  readonly message: string;
  readonly hint: string | null;
}
