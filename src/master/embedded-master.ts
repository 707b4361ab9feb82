/** The interface of an embedded master: what the program that contains it can do with it. */
import type { Decided, ReloadResult, Status, UpdateResult } from '../shared/control-api.ts';
import type { Cause, EventRecord, Failure } from '../shared/events.ts';
import type { PlanOptions } from './config/options.ts';

/** One program of a master. Errors: those of Master, and `programStopped`. */
export interface MasterProgram {
  /** Starts the program and those that it depends on. Resolves when the program serves or has failed. */
  start(cause?: Cause): Promise<ReloadResult>;
  reload(cause?: Cause): Promise<ReloadResult>;
  /**
   * Continues a reload that waits between two steps, or ends the probation. Returns the generation that it continues with.
   * Errors: `noRollout`.
   */
  promote(): Decided;
  /** Goes back to the old generation, during a reload or a probation. Returns that generation's number. Errors: `noRollout`. */
  rollback(): Decided;
  /** Stops the program's workers, then starts it again. Clients wait in the meantime. */
  restart(cause?: Cause): Promise<ReloadResult>;
  /** Drains the program's workers and resolves when all are gone. A second call kills them. */
  stop(cause?: Cause): Promise<void>;
  changeWorkerCount(change: number): void;
  status(): Status;
}

/** A master. Created idle; a stopped one cannot be started again. */
export interface Master {
  /**
   * A master of one program binds, starts the first generation, and resolves when it serves. Errors: `addressInUse`, `addressUnusable`,
   * `nameTaken`, `controlSocketUnusable`, `notWatchable`, `startFailed`, and those of looking up the command:
   * `commandNotFound`, `commandNotExecutable`, `cwdMissing`, `envFileUnreadable`; `masterStopped` when stop()
   * came first. After an error nothing is left running. A second call gives the same promise. With `onFatal: 'stay'` it also resolves when the program
   * has failed.
   *
   * A master of many programs resolves when each of them serves, has failed, or waits for one that has. Errors: `nameTaken`,
   * `controlSocketUnusable`, `masterStopped`.
   */
  start(): Promise<void>;
  /**
   * Starts a new generation of the only program. Resolves when it serves (`ok`), or has failed and the old one keeps serving. Calls during
   * a reload are merged into a single further reload. Rejects with `masterStopped`, or with `programAmbiguous` if there are several programs.
   */
  reload(cause?: Cause): Promise<ReloadResult>;
  /** As promote() of MasterProgram, for the only program. Errors: `noRollout`, `programAmbiguous`, `masterStopped`. */
  promote(): Decided;
  /** As rollback() of MasterProgram, for the only program. Errors: as promote(). */
  rollback(): Decided;
  /** Drains every worker of every program and resolves when all are gone. A second call kills them. */
  stop(cause?: Cause): Promise<void>;
  /** Adds `change` workers to the only program, or removes them if it is negative, down to one. Does nothing once a stop was requested. */
  changeWorkerCount(change: number): void;
  /** The status of the only program. `draining` has the numbers of the worker's latest report, or null. Errors: `programAmbiguous`. */
  status(): Status;
  /** The status of every program. */
  programs(): readonly Status[];
  /** One program by its name. Errors: `programNotFound`. */
  program(name: string): MasterProgram;
  /**
   * Changes the plan: programs are added, removed and changed, each with the least that it needs; unchanged programs are not touched.
   * Errors: `badOption`, `commandMissing`, `planInvalid`; then nothing has changed.
   */
  update(options: PlanOptions): Promise<UpdateResult>;
  /** Calls the listener for every event from now on. Returns a function that ends the subscription. */
  subscribe(listener: (event: EventRecord) => void): () => void;
  /** Resolves when the master has stopped: with null if that was requested, otherwise with the reason. */
  readonly ended: Promise<Failure | null>;
}
