/** The calls of a client. connect.ts implements them. */
import type { Upgraded } from '../shared/ask-to-upgrade.ts';
import type {
  MasterStatus,
  ReloadAccepted,
  ReloadResult,
  ReloadWait,
  Decided,
  Scaled,
  Status,
  StopAccepted,
  UpdateResult,
} from '../shared/control-api.ts';
import type { EventStream } from './read-events.ts';

/** Chooses the master to connect to. If neither `name` nor `path` is given, exactly one master must be running. */
export interface ConnectOptions {
  /** The name of the master's control socket: `--name` or the port; with a config file, `name` of `[master]`. */
  readonly name?: string;
  /** The path of the master's control socket. Default: it is searched for in the same directories as by gracefulctl. */
  readonly path?: string;
}

export interface CallOptions {
  /** Ends the call, which rejects with the signal's reason. The master still completes a request that it has accepted. Default: none. */
  readonly signal?: AbortSignal;
}

export interface ReloadOptions extends CallOptions {
  /**
   * When the call resolves. `serving`: only the new generation accepts new connections. `settled`: its probation is over too. `drained`: in
   * addition, no worker of an earlier generation is left. Default: `serving`.
   */
  readonly wait?: ReloadWait;
}

export interface StopOptions extends CallOptions {
  /** Whether the call waits until the stop is complete (default: true). With false it resolves when the stop is accepted. */
  readonly wait?: boolean;
}

export interface UpdateOptions extends CallOptions {
  /** Whether to report only what would be done. Default: false. */
  readonly dryRun?: boolean;
}

/** Options of a call that resolves when the request is accepted. */
export interface WithoutWaiting extends CallOptions {
  readonly wait: false;
}

/** A call that starts a generation. Without waiting it resolves to the number of that generation. */
export interface Operation {
  (options?: ReloadOptions): Promise<ReloadResult>;
  (options: WithoutWaiting): Promise<ReloadAccepted>;
}

/**
 * A running master. Every call searches for its control socket, so a client also works with the next master of that name.
 * Nothing is open between calls, and a client need not be closed.
 *
 * Every call can reject with `masterNotFound`, `masterAmbiguous`, `masterUnreachable`, `masterStopped` and `controlRequestRejected`, and with
 * the reason of its signal; the codes are explained in docs/errors.md. Calls that the master can answer at once reject with
 * `masterUnreachable` after 5 s; the others wait for as long as it takes: see the start, drain and ready timeouts of the program.
 */
export interface Client {
  /** The status of the master. */
  master(options?: CallOptions): Promise<MasterStatus>;
  /** The status of all programs, in the order of the plan. */
  programs(options?: CallOptions): Promise<readonly Status[]>;
  /** A client of one program. Its calls reject with `programNotFound` if there is no program of that name. */
  program(name: string): ProgramClient;
  /**
   * Reads the config file again and applies what has changed; resolves when that is done. Errors: `planInvalid`, with `problems`, when the
   * file is wrong: nothing was changed; `reloadFailed`, an `UpdateFailure`, when a program failed to start or reload.
   */
  update(options?: UpdateOptions): Promise<UpdateResult>;
  /**
   * Replaces graceful-run and Node.js in the master by what is installed now, while its programs keep running; resolves when the new version answers. Waits
   * for at most a minute until what cannot be handed over, such as a reload, is done. Errors: `upgradeFailed`: the master runs as before, unless the
   * message says otherwise.
   */
  upgrade(options?: CallOptions): Promise<Upgraded>;
  /** Stops all programs and the master, and resolves when its process has ended. A second call kills the workers that still drain. */
  stop(options?: StopOptions): Promise<StopAccepted>;
  /** The events of all programs and of the master. */
  events(options?: CallOptions): EventStream;
}

/** A program of a running master. All calls can also reject with `programNotFound`. */
export interface ProgramClient {
  readonly name: string;
  status(options?: CallOptions): Promise<Status>;
  /** Starts the program. If it is already running, only workers that wait for their restart are started. Errors: `startFailed`, a `ReloadFailure`. */
  readonly start: Operation;
  /**
   * Starts a new generation, and drains the previous one when the new one serves. Calls during a reload share one further generation.
   * Errors: `reloadFailed`, a `ReloadFailure`: the previous generation keeps serving; `programStopped`.
   */
  readonly reload: Operation;
  /** Stops the program's workers, then starts new ones. Clients wait in the queue of the listener. Errors: `startFailed`, a `ReloadFailure`. */
  readonly restart: Operation;
  /** Goes on with a reload that waits between two steps, or ends the probation. Errors: `noRollout`, `programStopped`. */
  promote(options?: CallOptions): Promise<Decided>;
  /** Goes back to the old generation, during a reload or a probation. Errors as promote(). */
  rollback(options?: CallOptions): Promise<Decided>;
  /** Sets the number of workers, from 1 to 1024. Workers are started or drained after the call. Errors: `programStopped`. */
  scale(workers: number, options?: CallOptions): Promise<Scaled>;
  /**
   * Drains the program's workers, and resolves when they have ended. A second call kills them. The master keeps running, unless it was started for one
   * program without a config file: then it exits, too.
   */
  stop(options?: StopOptions): Promise<StopAccepted>;
  /** The events of the program. */
  events(options?: CallOptions): EventStream;
}
