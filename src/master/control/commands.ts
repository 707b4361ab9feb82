/**
 * What a running master can be told to do, by a signal, over the control socket or by an embedder. A request is a value, an answer is a
 * value, a refusal is a GracefulRunError.
 */
import type {
  Decided,
  LogRecord,
  MasterStatus,
  ReloadAccepted,
  ReloadResult,
  ReloadWait,
  Scaled,
  Status,
  StopAccepted,
  UpdateResult,
} from '../../shared/control-api.ts';
import type { Cause, EventRecord } from '../../shared/events.ts';
import type { LogsRequest } from '../output/read-logs.ts';
import type { CountChange } from '../program/lifecycle/inputs.ts';

/** The program that a command is for: its name, or null for the only one. Errors: `programNotFound`, `programAmbiguous`. */
interface OfProgram {
  readonly program: string | null;
}

export interface ReloadCommand extends OfProgram {
  readonly cause: Cause;
  readonly wait: ReloadWait;
}

export interface ScaleCommand extends OfProgram {
  /** How many workers to add or remove, where at least one stays; or how many to have in all. */
  readonly change: CountChange;
}

export interface StopCommand extends OfProgram {
  readonly cause: Cause;
}

export interface UpdateCommand {
  readonly cause: Cause;
  /** Whether to report only what would be done. */
  readonly isDryRun: boolean;
}

/** A new generation, from the moment of the request for it. */
export interface ReloadUnderWay {
  readonly accepted: ReloadAccepted;
  /** Resolves when the generation has failed, or has reached the state that the request waits for. */
  readonly outcome: Promise<ReloadResult>;
}

interface StatusWanted {
  /** Whether the status includes the load of all workers, which are asked for it. By default only draining workers are asked. */
  readonly hasLoad?: boolean;
}

export interface Commands {
  readonly master: () => MasterStatus;
  /** The status of all programs. Draining workers are asked what they still have open, which takes up to 0.3 s. */
  readonly programs: (how?: StatusWanted) => Promise<readonly Status[]>;
  readonly status: (of: OfProgram & StatusWanted) => Promise<Status>;
  /** What /metrics shows. Asks all workers for their load. */
  readonly metrics: () => Promise<string>;
  /**
   * Starts a program and those that it depends on. In a program that runs, it starts only workers that wait for their restart. Errors: `masterStopped`; of
   * `outcome`: `programStopped`.
   */
  readonly start: (command: ReloadCommand) => ReloadUnderWay;
  /**
   * Requests a new generation. Requests made during a reload are merged into a single further one. Errors: `masterStopped`, `programStopped`, thrown at
   * once or by `outcome`.
   */
  readonly reload: (command: ReloadCommand) => ReloadUnderWay;
  /** Stops the workers of a program first, and then starts it again; clients wait in the meantime. Errors as start(). */
  readonly restart: (command: ReloadCommand) => ReloadUnderWay;
  /** Continues a reload that waits between two steps, or ends the probation. Errors: `masterStopped`, `programStopped`, `noRollout`. */
  readonly promote: (of: OfProgram) => Decided;
  /** Goes back to the old generation, during a reload or a probation. Errors as promote(). */
  readonly rollback: (of: OfProgram) => Decided;
  /** Changes the number of workers. Errors: `masterStopped`, `programStopped`. */
  readonly scale: (command: ScaleCommand) => Scaled;
  /** Drains the workers of a program; `done` resolves when none is left. A second request kills them. */
  readonly stop: (command: StopCommand) => { readonly accepted: StopAccepted; readonly done: Promise<void> };
  /** Stops every program and then the master; `done` resolves when it has ended. A second request kills all workers. */
  readonly shutDown: (command: Pick<StopCommand, 'cause'>) => ReturnType<Commands['stop']>;
  /** Reads the config file again and applies the changes. Errors: `planInvalid`, `masterStopped`, `noConfigFile`. */
  readonly update: (command: UpdateCommand) => Promise<UpdateResult>;
  /**
   * Replaces the program of the master and Node.js by what is installed now, while the programs keep running. Never resolves: if it succeeds, the master
   * continues in the new version. Errors: `masterStopped`, `upgradeFailed`.
   */
  readonly upgrade: (command: Pick<StopCommand, 'cause'>) => Promise<never>;
  /** What SIGHUP asks for: an update if there is a config file, then a reload of every program that runs. */
  readonly reloadAll: (command: { readonly cause: Cause }) => Promise<void>;
  /** Opens the log files again, which another program may have moved. An event reports the result. */
  readonly reopenLogs: () => Promise<void>;
  /** Delivers the output of a program's workers, until `signal` is aborted. */
  readonly logs: (request: LogsRequest & OfProgram, signal: AbortSignal) => AsyncIterable<LogRecord>;
  /** Calls the listener for every event from now on, or only for those of one program, until the returned function is called. */
  readonly subscribe: (listener: (event: EventRecord) => void, of?: OfProgram) => () => void;
}
