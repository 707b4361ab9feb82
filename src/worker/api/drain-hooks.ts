/** The application's drain hooks: those for the beginning of a drain and those for its end, each run once, one after the other. */
import { inCurrentContext } from '../process/async-context.ts';
import type { DrainReason } from '../../shared/protocol.ts';

/** The argument of a drain hook. */
export interface DrainContext {
  /** Why the worker drains. Without a master: `stop`. */
  readonly reason: DrainReason;
  /** When the drain ends at the latest, in milliseconds since 1970 like `Date.now()`: whatever is not finished by then is cut. */
  readonly deadline: number;
}

/** A function that runs in a drain. If it returns a promise, that is awaited. */
export type DrainHook = (context: DrainContext) => unknown;

/**
 * When a hook runs. `last`: when the last connection is closed, so that no request needs what the hook closes.
 * `first`: as soon as the drain begins, while requests are still being served.
 */
export type DrainMoment = 'first' | 'last';

export interface Hooks {
  readonly add: (hook: DrainHook, when: DrainMoment) => void;
  /** Resolves when the last hook of this moment has finished. A hook that throws is reported and does not stop the others. */
  run(when: DrainMoment, context: DrainContext): Promise<void>;
}

export function createHooks(failed: (error: unknown) => void): Hooks {
  const rows: Record<DrainMoment, DrainHook[]> = { first: [], last: [] };
  return {
    add(hook, when) {
      rows[when].push(inCurrentContext(hook));
    },
    async run(when, context) {
      // The array may grow during the loop: a hook that is added meanwhile runs last.
      for (const hook of rows[when]) {
        try {
          await hook(context);
        } catch (error) {
          failed(error);
        }
      }
    },
  };
}
