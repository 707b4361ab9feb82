/** What the application has asked of this worker, kept until somebody has use for it. It must not know when that is. */
import { setMaxListeners } from 'node:events';
import { bindListeners } from '../process/abort-listeners.ts';
import { inCurrentContext } from '../process/async-context.ts';
import { createHooks, type Hooks } from './drain-hooks.ts';
import type { AdoptHandler } from '../migration/adopt-connections.ts';
import { complain, described } from '../process/standard-streams.ts';

export interface Application {
  readonly hooks: Hooks;
  /** Who takes connections that other workers give away, by name. */
  readonly adoptHandlers: ReadonlyMap<string, AdoptHandler>;
  readonly onAdopt: (name: string, handler: AdoptHandler) => void;
  /** Always the same one; aborted when the application may know that the drain has begun. */
  readonly signal: () => AbortSignal;
  /** The drain has begun. */
  tellOfDrain(): void;
}

export function createApplication(): Application {
  // Made when it is asked for: most applications never do, and all of them have to boot.
  let abort: AbortController | null = null;
  let isTold = false;
  const adoptHandlers = new Map<string, AdoptHandler>();
  return {
    hooks: createHooks((error) => {
      complain(`a drain hook failed: ${described(error)}`);
    }),
    adoptHandlers,
    onAdopt(name, handler) {
      adoptHandlers.set(name, inCurrentContext(handler));
    },
    signal() {
      if (abort === null) {
        abort = new AbortController();
        bindListeners(abort.signal);
        // One for each request that waits is no leak.
        setMaxListeners(0, abort.signal);
      }
      if (isTold) abort.abort();
      return abort.signal;
    },
    tellOfDrain() {
      isTold = true;
      abort?.abort();
    },
  };
}
