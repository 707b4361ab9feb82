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
} as const;

/** Text for Prometheus. Beside the API, and not of its versions: everything that scrapes looks there. */
export const metricsRoute = '/metrics';

/** What can be done to one program, as the last part of its route. */
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

/** The route of a program, or of what is done to it. */
export function programRoute(name: string, action: ProgramAction | null = null): string {
  return `${routes.programs}/${name}${action === null ? '' : `/${action}`}`;
}

/**
 * What a reload can be waited for. `serving`: only the new generation takes new connections. `settled`: moreover, its probation is over.
 * `drained`: moreover, no worker of an earlier generation is left. `true` in a request is the first of them.
 */
export const reloadWaits = ['serving', 'settled', 'drained'] as const;
export type ReloadWait = (typeof reloadWaits)[number];

/**
 * A line that a worker wrote. In the query of the request: `lines`, how many of the last ones; `since`, ms since 1970; `stream`, `stdout` or `stderr`;
 * `follow=true`: the answer continues with the lines to come.
 */
export interface LogLine {
  /** Null: a file of both, which does not say. */
  readonly stream: 'stdout' | 'stderr' | null;
  /** Null: not known, because the line is older than what the master remembers, and the file does not say. */
  readonly generation: number | null;
  /** Null: not known. */
  readonly slot: number | null;
  /** The pid of the worker. Null: not known. */
  readonly worker: number | null;
  /** When the master read it, in ms since 1970. Null: not known. */
  readonly time: number | null;
  /** Without its end. Bytes that are not UTF-8 are replaced. */
  readonly line: string;
}

/** What a reader of lines has to know: why there are none of stdout, or that some were skipped. */
export interface LogNotice {
  /** A sentence for people. */
  readonly notice: string;
}

export type LogRecord = LogLine | LogNotice;

/** How many workers a program can have. */
export const workersLimit = 1024;

export interface WorkerStatus {
  readonly generation: number;
  readonly slot: number;
  readonly pid: number | null;
  /** Its process that serves, if that is not `pid`: under `npm start` or a shell, for example. Null: it is `pid`, or not known yet. */
  readonly servingPid: number | null;
  readonly state: WorkerPhase;
  /** It accepts new connections. */
  readonly isAccepting: boolean;
  /** It gives no sign of life, and is to be replaced (`watchdog`). */
  readonly isHung: boolean;
  /** What it can do; null before it is ready. */
  readonly capabilities: WorkerCapabilities | null;
  /** How long it has been in this state, in ms. */
  readonly inStateMs: number;
  readonly uptimeMs: number;
  /**
   * What it runs, if that is another release than its generation's: it has replaced a crashed worker after the release was switched.
   * Else null.
   */
  readonly otherRelease: Release | null;
  /** While it drains or terminates; else null. */
  readonly draining: DrainingStatus | null;
  /** If it was requested (`?load`), and the worker has answered; else null. */
  readonly load: LoadStatus | null;
}

/** What a Node.js worker does. */
export interface LoadStatus {
  /** HTTP/1 requests in flight. */
  readonly requests: number;
  /** Open connections. */
  readonly connections: number;
  /** Requests that it has answered in its life. */
  readonly served: number;
  /** Those that it has answered with a status of 500 to 599. */
  readonly serverErrors: number;
  readonly eventLoop: EventLoopStatus;
}

/** Since the last time that it was requested. */
export interface EventLoopStatus {
  /** The share of the time in which it was busy, 0 to 1. */
  readonly utilization: number;
  /** How late its timers were on average, in ms. Null at the first time: it is measured from then on. */
  readonly delayMeanMs: number | null;
  /** How late 99% of its timers were at most, in ms. */
  readonly delayP99Ms: number | null;
  /** How late its latest timer was, in ms. */
  readonly delayMaxMs: number | null;
}

/** What the workers of a program have served, also those that have ended. */
export interface ProgramLoad {
  /** Requests that they have answered. */
  readonly served: number;
  /** Those that they have answered with a status of 500 to 599. */
  readonly serverErrors: number;
}

/** Node.js workers have all three, unless their connections are not to move. Other programs have none. */
export interface WorkerCapabilities {
  /** It accepts connections only once its whole generation is ready, and can stop to accept. Otherwise it accepts as soon as it runs. */
  readonly isGated: boolean;
  /** Its connections move to other workers. */
  readonly migrates: boolean;
  /** It reports what it has open, and what it served. */
  readonly reports: boolean;
}

export interface DrainingStatus {
  /** Until it gets the next signal: SIGTERM while it drains, SIGKILL while it terminates. */
  readonly leftMs: number;
  /** HTTP/1 requests in flight; null when the worker does not say. */
  readonly requests: number | null;
  /** Open connections; null when the worker does not say. */
  readonly connections: number | null;
  /** The rest of its drain is the application's own clean-up (drain hooks, signal handlers); null when the worker does not say. */
  readonly isCleaningUp: boolean | null;
}

/** A slot of the serving generation whose worker has failed and is to be started again. */
export interface PendingRestart {
  readonly slot: number;
  /** Failures in a row. */
  readonly failures: number;
  /** Until the next start, in ms. */
  readonly inMs: number;
}

export interface EmptySlot {
  readonly slot: number;
  /** Null: its worker was not ready, or could not be started. */
  readonly outcome: Outcome | null;
  /** Workers have died too often (crash_loop). False: the worker has ended by itself and was not to be started again. */
  readonly isGivenUp: boolean;
}

/** How the last reload (or the first start) ended. */
export interface ReloadResult {
  readonly generation: number;
  readonly ok: boolean;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  readonly durationMs: number;
  readonly failure: Failure | null;
  /** What the generation runs, or was to run. */
  readonly release: Release | null;
  /** How long its probation lasts, in ms, when it serves on probation; 0 when it does not, or not any more. */
  readonly probationMs: number;
  /** The generation that serves after it: this one, or the one before it; null when there is none. */
  readonly serving: number | null;
  /** The generation that took over again after this one had begun to serve. */
  readonly rolledBackTo: number | null;
  /** How many workers of this generation keep serving all the same, because the old workers in their slots are gone. */
  readonly remaining: number;
}

/** The worker of the serving generation that was the last to exit unexpectedly. */
export interface WorkerCrash {
  readonly generation: number;
  readonly slot: number;
  /** Null: it could not be started. */
  readonly pid: number | null;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  readonly failure: Failure;
}

/** The states of Supervisor, by which its users and their tools know what a program does: a view of its phase. `UNKNOWN` is what a client shows if it gets no answer. */
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
 * What a program does, in our own words. `serving` and `reloading`: at least one of its workers accepts connections. `restarting`: none does, because they
 * have crashed; they are started again. `backoff`: its start has failed, and is tried again. `exited`: its workers have ended by themselves and are
 * not to be started again. `failed`: it was given up. `scheduled`: it waits for the time of its next run.
 */
export type ShownPhase = Exclude<ProgramPhase, 'probation'> | 'restarting' | 'scheduled';

/** When a program runs by the clock. Moments are in ms since 1970. */
export interface ScheduleStatus {
  readonly expression: string;
  /** Null: that of the machine. */
  readonly timezone: string | null;
  /** Null: it is stopped, or its time never comes again. */
  readonly nextAt: number | null;
  /** The run that is under way. */
  readonly run: { readonly startedAt: number; readonly cause: RunCause } | null;
  /** Another run begins when that has ended. */
  readonly isPending: boolean;
  /** The one that has ended last, since the master was started. */
  readonly lastRun: {
    readonly startedAt: number;
    readonly durationMs: number;
    readonly result: RunResult;
    /** Null: it could not be started, or was stopped. */
    readonly outcome: Outcome | null;
  } | null;
}

export interface MasterStatus {
  /** The name of its control socket. */
  readonly name: string;
  readonly pid: number;
  readonly version: string;
  readonly uptimeMs: number;
  /** It was told to stop, and with it all of its programs. */
  readonly isStopping: boolean;
  /** Stands in every line of its log, and in no line of a worker; null: it writes no log of its own. */
  readonly logId: string | null;
  /** The config file that its plan was read from, an absolute path; null: the command line, or code. */
  readonly file: string | null;
}

/** How far a reload in steps has come. */
export interface RolloutStatus {
  /** The new generation. */
  readonly generation: number;
  /** How many of its workers accept connections, and how many it will have. */
  readonly serving: number;
  readonly workers: number;
  /** The first of them serve alone for a time. */
  readonly isCanary: boolean;
  /** Until the next workers are started; null: they are being started. */
  readonly nextInMs: number | null;
}

export interface ProgramList {
  readonly master: MasterStatus;
  readonly programs: readonly Status[];
}

export interface Status {
  readonly program: string;
  /** Of which group it is; null: of none. */
  readonly group: string | null;
  readonly state: ProgramState;
  readonly phase: ShownPhase;
  /** It is to run: it was started, and was not stopped by a request. */
  readonly isWanted: boolean;
  /** Programs of the plan that have to serve before it is started, and do not yet. */
  readonly waitsFor: readonly string[];
  /** While a new generation replaces the old one in steps, and a part of it serves; else null. */
  readonly rollout: RolloutStatus | null;
  /** While the generation that serves is on probation: the generation that can take over again, and for how long. */
  readonly probation: { readonly previous: number; readonly remainingMs: number } | null;
  /** What the new generation and the old one have answered since the new one began to serve, while that is counted (`rollback_on`); else null. */
  readonly errors: ErrorCounts | null;
  /** The generation that serves; null before the first one is ready. */
  readonly generation: number | null;
  /** What the generation that serves runs. */
  readonly release: Release | null;
  readonly command: readonly string[];
  readonly master: MasterStatus;
  readonly listeners: readonly ({
    readonly name: string;
    /** Each worker has a listening socket of its own for this address, instead of a share of one. */
    readonly reusePort: boolean;
  } & AddressFields)[];
  readonly workersWanted: number;
  readonly workers: readonly WorkerStatus[];
  /** Workers that have failed and wait for their next start; while none is ready, clients wait too. */
  readonly restarts: readonly PendingRestart[];
  /** Slots of the generation that serves whose worker has ended and is not replaced. */
  readonly emptySlots: readonly EmptySlot[];
  /** When its start, which has failed, is tried again; null: it is not. */
  readonly retry: { readonly failures: number; readonly inMs: number } | null;
  /** How its last worker ended, if its workers have ended by themselves and are not to be started again; else null. */
  readonly exit: (Outcome & { readonly isExpected: boolean }) | null;
  /** Null: it does not run by the clock. */
  readonly schedule: ScheduleStatus | null;
  readonly reloadPending: boolean;
  /** If it was requested (`?load`), for Node.js workers; else null. */
  readonly load: ProgramLoad | null;
  readonly lastReload: ReloadResult | null;
  /** Null while no worker of a generation that served has crashed. */
  readonly lastCrash: WorkerCrash | null;
}

export interface ReloadAccepted {
  /** The number of the generation that this request starts. */
  readonly generation: number;
}

/** An operator has decided about a new generation. */
export interface Decided {
  /** The generation that the program continues with, or goes back to. */
  readonly generation: number;
}

/** The number of workers that are wanted now, and before. */
export interface Scaled {
  readonly workers: number;
  readonly before: number;
}

export interface StopAccepted {
  readonly pid: number;
}

/** How one plan differs from another. */
export interface PlanDifference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly ProgramChange[];
  /** Keys of `[master]` that differ. They take effect when the master is started again. */
  readonly master: readonly string[];
}

export interface ProgramChange {
  readonly program: string;
  /** As the config file writes them. */
  readonly keys: readonly string[];
  /**
   * `nothing`: they take effect at once. `reload`: with new workers, in a reload. `restart`: its workers have to stop first, because the old
   * and the new listener exclude each other.
   */
  readonly needs: 'nothing' | 'reload' | 'restart';
  /** Those of `keys` that take effect when the master is started again. */
  readonly later: readonly string[];
}

export interface UpdateResult {
  /** Null: the plan was given by code. */
  readonly file: string | null;
  readonly difference: PlanDifference;
  /** False: it was a dry run. */
  readonly applied: boolean;
  /** The result for each program that was started, reloaded, restarted or removed. Empty when it was not applied. */
  readonly programs: readonly UpdatedProgram[];
}

export interface UpdatedProgram {
  readonly program: string;
  /** `scheduled`: it runs when its schedule says so. */
  readonly done: 'started' | 'scheduled' | 'reloaded' | 'restarted' | 'changed' | 'removed';
  /** Why it does not serve as the new plan wants it; null: it does. */
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

/** One thing that is wrong with a plan. Lines and columns count from 1; null where there is none to name. */
export interface PlanProblem {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** As the file writes it: `program.shop.port`. */
  readonly key: string | null;
  /** What was expected, or what is wrong, in one sentence without a full stop. */
  readonly message: string;
  readonly hint: string | null;
}
