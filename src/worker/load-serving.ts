/** Loads the bundle of what a worker needs when it serves. A file of its own: it is not loaded before the worker is ready. */
import type * as serving from './serving.ts';

/** Throws when it cannot be loaded, as when the package has been replaced on disk: then this worker is none. */
export function loadServing(): typeof serving {
  const load = process.getBuiltinModule('node:module').createRequire(__filename);
  // Proven dispatch: scripts/build.js makes it of ./serving.ts, beside the preload.
  return load('./serving.cjs') as typeof serving;
}
