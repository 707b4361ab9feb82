/**
 * What the API calls: the runtime of the preload or, without a master, one that the API starts itself. API and preload may come from
 * different copies of the package, so this is an interface with a version, found through a global symbol.
 */
import type net from 'node:net';
import type { AdoptHandler } from '../migration/adopt-connections.ts';
import type { DrainHook, DrainMoment } from './drain-hooks.ts';
import type { MigrationRequest, MigrationResult } from '../migration/migrate-custom-protocol.ts';
import type { ReadyMode } from '../listen/worker-readiness.ts';

/** Raised when the meaning of `Runtime` changes. */
export const runtimeVersion = 2;

export interface Runtime {
  readonly version: number;
  readonly isManaged: boolean;
  readonly generation: number;
  signal(): AbortSignal;
  onDrain(hook: DrainHook, when: DrainMoment): void;
  choose(mode: ReadyMode): 'chosen' | 'disagrees' | 'tooLate';
  ready(): void;
  requestReload(): boolean;
  migrate(socket: net.Socket, request: MigrationRequest): Promise<MigrationResult>;
  onAdopt(name: string, handler: AdoptHandler): void;
}

const key = Symbol.for('graceful-run.worker');

export function publishRuntime(runtime: Runtime): void {
  Object.defineProperty(globalThis, key, { value: runtime, configurable: true });
}

/** The runtime of this process; null if there is none, `other` if it has another version. */
export function findRuntime(): Runtime | 'other' | null {
  const value: unknown = Reflect.get(globalThis, key);
  if (typeof value !== 'object' || value === null) return null;
  return isRuntime(value) ? value : 'other';
}

function isRuntime(value: object): value is Runtime {
  return 'version' in value && value.version === runtimeVersion;
}
