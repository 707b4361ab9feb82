/** What a client can be asked. How it is done is in connect.ts. */
import type {
  MasterStatus,
  ReloadAccepted,
  ReloadResult,
  ReloadWait,
  Scaled,
  Status,
  StopAccepted,
  UpdateResult,
} from '../shared/control-api.ts';
import type { EventStream } from './event-stream.ts';

/** Which master. Without any of them: the only one that runs. */
export interface ConnectOptions {
  /** The name of its control socket: that of `--name`, or the port. */
  readonly name?: string;
  /** The path of its control socket. Default: it is looked for where gracefulctl looks. */
  readonly path?: string;
}

export interface CallOptions {
  /** Ends the call, which rejects with the signal's reason. What the master has accepted, it does nevertheless. Default: none. */
  readonly signal?: AbortSignal;
}

export interface ReloadOptions extends CallOptions {
  /**
   * What it resolves at. `serving`: only the new generation takes new connections. `settled`: moreover, its probation is over. `drained`:
   * moreover, no worker of an earlier generation is left. Default: `serving`.
   */
  readonly wait?: ReloadWait;
}

export interface StopOptions extends CallOptions {
  /** False: it resolves when the stop is accepted. Default: true, when it has ended. */
  readonly wait?: boolean;
}

export interface UpdateOptions extends CallOptions {
  /** Only tells what would be done. Default: false. */
  readonly dryRun?: boolean;
}

/** Resolves when it is accepted. */
export interface WithoutWaiting extends CallOptions {
  readonly wait: false;
}

/** A call that starts a generation. Without waiting it resolves to the number of that generation. */
export interface Operation {
  (options?: ReloadOptions): Promise<ReloadResult>;
  (options: WithoutWaiting): Promise<ReloadAccepted>;
}

/**
 * A running master. Every call finds its control socket anew, so a client outlives the master, and works with the next one of that name.
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
  /** One program. Whether there is one of that name, its calls find out. */
  program(name: string): ProgramClient;
  /**
   * Reads the config file again and applies what has changed; resolves when that is done. Errors: `planInvalid`, with `problems`, when the
   * file is wrong: nothing was changed; `reloadFailed`, an `UpdateFailure`, when a program does not serve as the new file wants it.
   */
  update(options?: UpdateOptions): Promise<UpdateResult>;
  /** Stops all programs and the master, and resolves when its process has ended. A second call kills the workers that still drain. */
  stop(options?: StopOptions): Promise<StopAccepted>;
  /** The events of all programs and of the master. */
  events(options?: CallOptions): EventStream;
}

/** A program of a running master. All calls can also reject with `programNotFound`. */
export interface ProgramClient {
  readonly name: string;
  status(options?: CallOptions): Promise<Status>;
  /** Starts it. One that runs is left as it is. Errors: `startFailed`, a `ReloadFailure`. */
  readonly start: Operation;
  /**
   * Starts a new generation, and drains the one before it when the new one serves. Calls during a reload share one further generation.
   * Errors: `reloadFailed`, a `ReloadFailure`: the generation before it serves on; `programStopped`.
   */
  readonly reload: Operation;
  /** Stops its workers, then starts new ones. Clients wait in the queue of the listener. Errors: `startFailed`, a `ReloadFailure`. */
  readonly restart: Operation;
  /** Sets the number of workers, from 1 to 1024; they are started or drained after that. Errors: `programStopped`. */
  scale(workers: number, options?: CallOptions): Promise<Scaled>;
  /** Drains its workers, and resolves when they have ended. A second call kills them. The master runs on. */
  stop(options?: StopOptions): Promise<StopAccepted>;
  /** Its events. */
  events(options?: CallOptions): EventStream;
}
