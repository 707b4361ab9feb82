export {
  graceful,
  type GracefulOptions,
  type ListenOptions,
  type MigrateOptions,
  type Worker,
} from './graceful.ts';
export type { AdoptHandler } from './migration/adoption.ts';
export type { DrainContext, DrainHook, DrainMoment } from './hooks.ts';
export type { ReadyMode } from './readiness.ts';
export type { DrainReason } from '../shared/protocol.ts';
export { GracefulRunError, type ErrorCode } from '../shared/errors.ts';
