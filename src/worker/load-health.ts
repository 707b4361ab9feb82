/** Loads the bundle that asks a worker for its health. A file of its own: few masters ask, and every worker boots. */
import type { HealthParts } from './health/index.ts';

export interface HealthBundle {
  readonly proveHealth: (parts: HealthParts) => Promise<boolean>;
}

/** Throws when it cannot be loaded, as when the package has been replaced on disk. */
export function loadHealth(): HealthBundle {
  const load = process.getBuiltinModule('node:module').createRequire(__filename);
  // Proven dispatch: scripts/build.js makes it of ./health/index.ts, beside the preload.
  return load('./health.cjs') as HealthBundle;
}
