/** The embedding API, `graceful-run/master`: a master inside your own process. */
import type { MasterOptions } from './config/options.ts';
import { createMaster as createOwnedMaster, type Master } from './master.ts';

export type { Master } from './master.ts';
export type { MasterOptions, ReadyWhen } from './config/options.ts';
export { GracefulRunError, type ErrorCode } from '../shared/errors.ts';
export type { ReloadResult, Status, WorkerCrash, WorkerStatus } from '../shared/control-api.ts';
export type { Cause, EventRecord, Failure, MasterEvent, Outcome } from '../shared/events.ts';

/** What a master takes from the process that it is in. Everything has a default. */
export interface EmbeddingOptions {
  /** The environment that workers inherit. Default: `process.env`. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Gets what the worker with this pid writes to stderr, in whole lines, byte for byte. Default: it goes to this process's stderr. */
  readonly onStderr?: (bytes: Uint8Array, pid: number) => void;
}

/** Checks the options and makes a master that does nothing before `start()`. Errors: `badOption`, `commandMissing`. */
export function createMaster(options: MasterOptions, embedding: EmbeddingOptions = {}): Master {
  return createOwnedMaster(options, embedding);
}
