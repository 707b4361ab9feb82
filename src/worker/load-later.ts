/** Loads the bundle of what a worker needs later. A file of its own: it is not loaded before the worker serves. */
import type * as later from './later.ts';
import { complain } from './standard-streams.ts';

export type Later = typeof later;

let loaded: Later | null = null;

/** Null, which stderr explains, when it cannot be loaded, as when the package has been removed from the disk. */
export function loadLater(): Later | null {
  try {
    const load = process.getBuiltinModule('node:module').createRequire(__filename);
    // Proven dispatch: scripts/build.js makes it of ./later.ts, beside the preload.
    return (loaded ??= load('./later.cjs') as Later);
  } catch (error) {
    complain(`cannot load the part that drains: ${String(error)}`);
    return null;
  }
}
