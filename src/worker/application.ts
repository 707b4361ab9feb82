/** What the application has asked of this worker, kept until somebody has use for it. It must not know when that is. */
import { createHooks, type Hooks } from './hooks.ts';
import type { AdoptHandler } from './migration/adoption.ts';
import { complain, described } from './standard-streams.ts';

export interface Application {
  readonly hooks: Hooks;
  /** Who takes connections that other workers give away, by name. */
  readonly adoptHandlers: Map<string, AdoptHandler>;
  /** Always the same one; aborted when the application may know that the drain has begun. */
  signal(): AbortSignal;
  /** The drain has begun. */
  tellOfDrain(): void;
}

export function createApplication(): Application {
  // Made when it is asked for: most applications never do, and all of them have to boot.
  let abort: AbortController | null = null;
  let isTold = false;
  return {
    hooks: createHooks((error) => {
      complain(`a drain hook failed: ${described(error)}`);
    }),
    adoptHandlers: new Map(),
    signal() {
      abort ??= new AbortController();
      if (isTold) abort.abort();
      return abort.signal;
    },
    tellOfDrain() {
      isTold = true;
      abort?.abort();
    },
  };
}
