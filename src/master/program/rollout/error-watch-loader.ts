/** Watches the errors of new generations of one program: the code for it is loaded when a plan asks for it first (`rollback_on`). */
import type { MasterEvent } from '../../../shared/events.ts';
import type { ProgramPlan } from '../../config/plan.ts';
import type { Platform } from '../../process/platform.ts';
import type { Worker } from '../lifecycle/state.ts';
import type { Runner } from '../runner.ts';
import type { ErrorWatch, WorkerCounts } from './error-watch.ts';

export interface ErrorWatchLoader {
  /** Loads what this plan needs. */
  load(plan: Pick<ProgramPlan, 'rollout'>): Promise<void>;
  observe(event: MasterEvent): void;
}

/** `plan`: as it is now. */
export function createErrorWatchLoader(
  { arm, clock }: Pick<Platform, 'arm' | 'clock'>,
  runner: Runner,
  plan: () => Pick<ProgramPlan, 'rollout'>,
): ErrorWatchLoader {
  let watch: ErrorWatch | null = null;

  function countsOf({ id, generation }: Worker): readonly WorkerCounts[] {
    const load = runner.loadOf(id);
    if (load === null) return [];
    return [{ worker: id, generation, requests: load.served, serverErrors: load.serverErrors }];
  }

  /** Of one of its workers that has written any. */
  function lastLinesOf(generation: number): readonly string[] {
    const own = runner.state().workers.filter((worker) => worker.generation === generation);
    const tails = runner.workers().filter(({ id }) => own.some((worker) => worker.id === id));
    return tails.find(({ stderrTail }) => stderrTail.length > 0)?.stderrTail ?? [];
  }

  return {
    async load({ rollout }) {
      if (rollout.rollbackOn === null || watch !== null) return;
      const [{ createErrorWatch }, { errorRateFailure }] = await Promise.all([
        import('./error-watch.ts'),
        import('./error-rate.ts'),
      ]);
      watch ??= createErrorWatch({
        arm,
        nowMs: () => clock.monotonicMs(),
        bound: () => plan().rollout.rollbackOn,
        ask: async () => {
          await runner.askOpen(true);
          return runner.state().workers.flatMap(countsOf);
        },
        foundBad: (generation, rate, bound) => {
          const failure = errorRateFailure(rate, bound, lastLinesOf(generation));
          runner.dispatch({ type: 'generationFoundBad', generation, failure });
        },
      });
    },
    observe: (event) => watch?.observe(event),
  };
}
