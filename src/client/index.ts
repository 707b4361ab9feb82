/** The client API, `graceful-run/client`: operates running masters from a program. */
export type {
  CallOptions,
  Client,
  ConnectOptions,
  Operation,
  ProgramClient,
  ReloadOptions,
  StopOptions,
  UpdateOptions,
  WithoutWaiting,
} from './client.ts';
export { connect } from './connect.ts';
export type { EventStream } from './read-events.ts';
export { ReloadFailure, UpdateFailure } from './failures.ts';
export type { Upgraded } from '../shared/ask-to-upgrade.ts';
export type { AddressFields } from '../shared/format-address.ts';
export { type ErrorCode, GracefulRunError } from '../shared/errors.ts';
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
  ReloadAccepted,
  ReloadResult,
  ReloadWait,
  RolloutStatus,
  Scaled,
  ScheduleStatus,
  ShownPhase,
  Status,
  StopAccepted,
  UpdatedProgram,
  UpdateResult,
  WorkerCapabilities,
  WorkerCrash,
  WorkerStatus,
} from '../shared/control-api.ts';
export type { DrainReason } from '../shared/protocol.ts';
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
  RunCause,
  RunResult,
  ProgramPhase,
  Release,
  RequestCounts,
  WorkerChange,
  WorkerFailureReason,
  WorkerIdentity,
  WorkerPhase,
} from '../shared/events.ts';
