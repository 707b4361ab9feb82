/** The embedding API, `graceful-run/master`: a master inside your own process. */
export { createMaster, type Master } from './master.ts';
export type { MasterOptions, ReadyWhen } from './config/options.ts';
export { GracefulRunError, type ErrorCode } from '../shared/errors.ts';
export type { ReloadResult, Status, WorkerCrash, WorkerStatus } from '../shared/control-api.ts';
export type { Cause, MasterEvent, Failure, EventRecord, Outcome } from '../shared/events.ts';
