/** Watches the limits of the workers of one program: the code for it is loaded when a plan has the first of them. */
import type { MasterEvent } from '../../shared/events.ts';
import type { Runner } from './runner.ts';
import type { Versions } from './versions.ts';
import type { WorkerLimitParts, WorkerLimits } from './worker-limits.ts';

export interface WorkerLimitsLoader {
  observe(event: MasterEvent): void;
  /** The plan has changed. */
  look(): Promise<void>;
}

/** Workers that serve have come or gone. */
const when: ReadonlySet<MasterEvent['event']> = new Set([
  'workerReady',
  'workerRestartedItself',
  'workerLostProgram',
  'workerDraining',
  'workerKilled',
  'workerExited',
  'workerFailed',
]);

export function createWorkerLimitsLoader(
  platform: WorkerLimitParts['platform'],
  runner: Runner,
  versions: Pick<Versions, 'latest' | 'of'>,
): WorkerLimitsLoader {
  let limits: WorkerLimits | null = null;

  async function look(): Promise<void> {
    const { maxMemoryBytes, maxLifetimeMs } = versions.latest().plan.replacement;
    if (limits === null && (maxMemoryBytes !== null || maxLifetimeMs !== null)) {
      const { createWorkerLimits } = await import('./worker-limits.ts');
      limits ??= createWorkerLimits({
        platform,
        state: () => runner.state(),
        planOf: (generation) => versions.of(generation).plan.replacement,
        reached: (id, cause) => {
          runner.dispatch({ type: 'replacementWanted', id, cause });
        },
        chance: Math.random,
      });
    }
    limits?.look();
  }

  return {
    observe({ event }) {
      if (when.has(event)) void look();
    },
    look,
  };
}
