/** The embedding API, `graceful-run/master`: a master inside your own process. */
import type { MasterOptions, PlanOptions } from './config/options.ts';
import type { Master } from './embedded-master.ts';
import { createMaster as createOwnedMaster } from './master.ts';

export type { Master, MasterProgram } from './embedded-master.ts';
export type {
  MasterOptions,
  MetricsOptions,
  PlanOptions,
  ProgramOptions,
  ReadyWhen,
} from './config/options.ts';
export type { GroupOptions } from './config/options/group-options.ts';
export type { KindOptions } from './config/options/kind-options.ts';
export type { ProcessOptions } from './config/options/launch-options.ts';
export type { HookCommands, HookOptions } from './config/options/hook-options.ts';
export type { WebhookOptions } from './config/options/webhook-options.ts';
export type { OutputOptions, SyslogFacility } from './config/options/output-options.ts';
export type { ReplacementOptions } from './config/options/replacement-options.ts';
export type { RestartOptions } from './config/options/restart-options.ts';
export type { RolloutOptions } from './config/options/rollout-options.ts';
export type { ScheduleOptions } from './config/options/schedule-options.ts';
export type { StopOptions } from './config/options/stop-options.ts';
export type { DrainSignalOption, SignalName } from './launch/program-drain-signal.ts';
export type { AddressFields } from '../shared/format-address.ts';
export { GracefulRunError, type ErrorCode } from '../shared/errors.ts';
export type {
  Decided,
  DrainingStatus,
  EmptySlot,
  EventLoopStatus,
  LoadStatus,
  MasterStatus,
  PendingRestart,
  PlanDifference,
  PlanProblem,
  ProgramChange,
  ProgramLoad,
  ProgramState,
  ReloadResult,
  ScheduleStatus,
  RolloutStatus,
  ShownPhase,
  Status,
  UpdatedProgram,
  UpdateResult,
  WorkerCapabilities,
  WorkerCrash,
  WorkerStatus,
} from '../shared/control-api.ts';
export type {
  Cause,
  EventRecord,
  ErrorCounts,
  ErrorRate,
  Failure,
  GenerationFailureReason,
  MasterEvent,
  Outcome,
  ReplacementCause,
  ProgramPhase,
  Release,
  RequestCounts,
  RunCause,
  RunResult,
  WorkerChange,
  WorkerFailureReason,
  WorkerIdentity,
  WorkerPhase,
} from '../shared/events.ts';
export type { DrainReason } from '../shared/protocol.ts';

/** The parts of the surrounding process that a master uses. */
export interface EmbeddingOptions {
  /** The environment that workers inherit. Default: `process.env`. */
  readonly environment?: NodeJS.ProcessEnv;
  /**
   * Called with the bytes that the worker of `program` with this pid writes to stderr, in whole lines. Default: they go to this process's
   * stderr.
   */
  readonly onStderr?: (bytes: Uint8Array, pid: number, program: string) => void;
  /** As `onStderr`, for the stdout of programs with `stdoutLogfile: 'forward'`. Default: this process's stdout. */
  readonly onStdout?: (bytes: Uint8Array, pid: number, program: string) => void;
}

/**
 * Checks the options, of one program or of many, and makes a master that does nothing before `start()`. Errors: `badOption`, `commandMissing`;
 * `planInvalid`, with all `problems`, if each option is valid but the plan as a whole is not (an unknown name in `dependsOn`, an address twice).
 */
export function createMaster(options: MasterOptions | PlanOptions, embedding: EmbeddingOptions = {}): Master {
  return createOwnedMaster(options, embedding);
}
