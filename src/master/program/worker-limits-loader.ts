/** Watches the limits and the signs of life of one program's workers. The code for that is loaded when a plan first needs it. */
import type { MasterEvent } from '../../shared/events.ts';
import { internalError } from '../../shared/internal-error.ts';
import type { Runner } from './runner.ts';
import type { Versions } from './versions.ts';
import type { Watchdog } from './watchdog.ts';
import type { WorkerLimitParts, WorkerLimits } from './worker-limits.ts';

export interface WorkerLimitsLoader {
  observe(event: MasterEvent): void;
  /** Has to be called when the plan has changed. */
  look(): Promise<void>;
}

/** Events after which workers that serve may have come or gone. */
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
  onEvent: (event: MasterEvent) => void,
): WorkerLimitsLoader {
  let limits: WorkerLimits | null = null;
  let watchdog: Watchdog | null = null;

  async function look(): Promise<void> {
    const { maxMemoryBytes, maxLifetimeMs, watchdogMs } = versions.latest().plan.replacement;
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
    if (watchdog === null && watchdogMs !== null) await loadWatchdog();
    watchdog?.look();
  }

  async function loadWatchdog(): Promise<void> {
    const { createWatchdog } = await import('./watchdog.ts');
    const { activityOf } = await import('../process/activity.ts');
    const { openHangLocator } = await import('../process/ask-where-hung.ts');
    if (watchdog !== null) return;
    const made = createWatchdog({
      platform,
      state: () => runner.state(),
      processOf: (worker) => runner.processOf(worker),
      boundOf: (generation) => versions.of(generation).plan.replacement.watchdogMs,
      activityOf,
      openHangLocator,
      hung: (worker, cause) => {
        runner.dispatch({ type: 'workerHung', worker, cause });
      },
      alive: (worker) => {
        runner.dispatch({ type: 'workerAlive', worker });
      },
      onEvent,
    });
    watchdog = made;
    runner.watchSigns((worker, said) => {
      made.receive(worker, said);
    });
  }

  return {
    observe({ event }) {
      if (!when.has(event)) return;
      look().catch((error: unknown) => {
        onEvent(internalError(error));
      });
    },
    look,
  };
}
