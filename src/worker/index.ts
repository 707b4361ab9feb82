export {
  graceful,
  type GracefulOptions,
  type ListenOptions,
  type MigrateOptions,
  type Worker,
} from './api/graceful.ts';
export type { AdoptHandler } from './migration/adopt-connections.ts';
export type { DrainContext, DrainHook, DrainMoment } from './api/drain-hooks.ts';
export type { ReadyMode } from './listen/worker-readiness.ts';
export type { DrainReason } from '../shared/protocol.ts';
export type { PlanProblem } from '../shared/control-api.ts';
export { GracefulRunError, type ErrorCode } from '../shared/errors.ts';
