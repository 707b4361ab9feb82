/** The things that the application has registered through the API: drain hooks, handlers of adopted connections, and the drain signal. */
import { setMaxListeners } from 'node:events';
import { bindListeners } from '../process/abort-listeners.ts';
import { inCurrentContext } from '../process/async-context.ts';
import { createHooks, type Hooks } from './drain-hooks.ts';
import type { AdoptHandler } from '../migration/adopt-connections.ts';
import { complain, described } from '../process/standard-streams.ts';

export interface Application {
  readonly hooks: Hooks;
  /** The handlers of connections that other workers migrate, by name. */
  readonly adoptHandlers: ReadonlyMap<string, AdoptHandler>;
  readonly onAdopt: (name: string, handler: AdoptHandler) => void;
  /** Returns the signal that aborts when the drain begins. Always the same object. */
  readonly signal: () => AbortSignal;
  /** Aborts the signal, because the drain has begun. */
  tellOfDrain(): void;
}

export function createApplication(): Application {
  // Created only when it is first used: most applications never use it.
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
        // A listener for each waiting request is not a leak.
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
