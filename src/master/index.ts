/** The embedding API, `graceful-run/master`: a master inside your own process. */
import type { MasterOptions, PlanOptions } from './config/options.ts';
import { createMaster as createOwnedMaster, type Master } from './master.ts';

export type { Master, MasterProgram } from './master.ts';
export type { MasterOptions, PlanOptions, ProgramOptions, ReadyWhen } from './config/options.ts';
export { GracefulRunError, type ErrorCode } from '../shared/errors.ts';
export type {
  MasterStatus,
  PlanDifference,
  PlanProblem,
  ProgramChange,
  ReloadResult,
  Status,
  UpdatedProgram,
  UpdateResult,
  WorkerCrash,
  WorkerStatus,
} from '../shared/control-api.ts';
export type { Cause, EventRecord, Failure, MasterEvent, Outcome } from '../shared/events.ts';

/** What a master takes from the process that it is in. Everything has a default. */
export interface EmbeddingOptions {
  /** The environment that workers inherit. Default: `process.env`. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Gets what the worker of `program` with this pid writes to stderr, in whole lines, byte for byte. Default: it goes to this process's stderr. */
  readonly onStderr?: (bytes: Uint8Array, pid: number, program: string) => void;
}

/** Checks the options, of one program or of many, and makes a master that does nothing before `start()`. Errors: `badOption`, `commandMissing`. */
export function createMaster(options: MasterOptions | PlanOptions, embedding: EmbeddingOptions = {}): Master {
  return createOwnedMaster(options, embedding);
}
