/** The application's drain hooks, in two rows: each run one after the other, once. It must not know what else a drain does. */
import { inCurrentContext } from '../process/async-context.ts';
import type { DrainReason } from '../../shared/protocol.ts';

/** What a drain hook is told. */
export interface DrainContext {
  /** Why: `reload`, `stop`, `scaleDown`, `masterGone`, or `signal` when nobody said. */
  readonly reason: DrainReason;
  /** When the drain ends at the latest, in milliseconds since 1970 like `Date.now()`: what is not finished then, is cut. */
  readonly deadline: number;
}

export type DrainHook = (context: DrainContext) => unknown;

/**
 * When a hook runs. `last`: when the last connection is gone, so that nobody needs any more what it closes.
 * `first`: as soon as the drain begins, while requests are still being served.
 */
export type DrainMoment = 'first' | 'last';

export interface Hooks {
  readonly add: (hook: DrainHook, when: DrainMoment) => void;
  /** Resolves when the last hook of this moment has finished. One that throws is reported and does not stop the others. */
  run(when: DrainMoment, context: DrainContext): Promise<void>;
}

export function createHooks(failed: (error: unknown) => void): Hooks {
  const rows: Record<DrainMoment, DrainHook[]> = { first: [], last: [] };
  return {
    add(hook, when) {
      rows[when].push(inCurrentContext(hook));
    },
    async run(when, context) {
      // The array may grow while it is walked: a hook added meanwhile runs at its end.
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
