/** Watches the errors and the health of one program's new generations. The code for that is loaded when a plan first needs it (`rollback_on`, `ready`). */
import type { ErrorCounts, MasterEvent } from '../../../shared/events.ts';
import type { ProgramPlan } from '../../config/plan.ts';
import type { Platform } from '../../process/platform.ts';
import { isAccepting, type Worker } from '../lifecycle/state.ts';
import type { Runner } from '../runner.ts';
import type { Versions } from '../versions.ts';
import type { ErrorWatch, WorkerCounts } from './error-watch.ts';
import type { HealthWatch } from './health-watch.ts';

export interface WatchLoader {
  /** Loads the code that this plan needs. */
  load(plan: ProgramPlan): Promise<void>;
  observe(event: MasterEvent): void;
  /** The requests counted for `rollback_on` since the new generation began to serve; null if nothing is counted at the moment. */
  errors(): ErrorCounts | null;
}

export function createWatchLoader(
  { arm, clock }: Pick<Platform, 'arm' | 'clock'>,
  runner: Runner,
  versions: Pick<Versions, 'latest' | 'of'>,
): WatchLoader {
  let errors: ErrorWatch | null = null;
  let health: HealthWatch | null = null;

  function countsOf({ id, generation }: Worker): readonly WorkerCounts[] {
    const load = runner.loadOf(id);
    if (load === null) return [];
    return [{ worker: id, generation, requests: load.served, serverErrors: load.serverErrors }];
  }

  /** The last lines of this worker or, if it has written none, those of another worker of its generation. */
  function lastLinesOf(generation: number, worker: number | null = null): readonly string[] {
    const own = runner.state().workers.filter((one) => one.generation === generation);
    const tails = runner
      .workers()
      .filter(({ id, stderrTail }) => stderrTail.length > 0 && own.some((one) => one.id === id));
    return (tails.find(({ id }) => id === worker) ?? tails[0])?.stderrTail ?? [];
  }

  async function loadErrors(): Promise<void> {
    const [{ createErrorWatch }, { errorRateFailure }] = await Promise.all([
      import('./error-watch.ts'),
      import('./error-rate.ts'),
    ]);
    errors ??= createErrorWatch({
      arm,
      nowMs: () => clock.monotonicMs(),
      bound: () => versions.latest().plan.rollout.rollbackOn,
      ask: async () => {
        await runner.askOpen(true);
        return runner.state().workers.flatMap(countsOf);
      },
      foundBad: (generation, rate, bound) => {
        const failure = errorRateFailure(rate, bound, lastLinesOf(generation));
        runner.dispatch({ type: 'generationFoundBad', generation, failure });
      },
    });
  }

  async function loadHealth(): Promise<void> {
    const { createHealthWatch } = await import('./health-watch.ts');
    health ??= createHealthWatch({
      arm,
      nowMs: () => clock.monotonicMs(),
      // Node.js is asked inside its process, and any other gated worker over a socket of its own.
      workers: () =>
        runner
          .state()
          .workers.filter(
            (worker) =>
              isAccepting(worker) &&
              worker.capabilities.isGated &&
              versions.of(worker.generation).plan.workerKind.readiness.when === 'answers',
          ),
      ask: (worker) => {
        runner.askHealth(worker);
      },
      answerOf: (worker) => runner.healthOf(worker),
      foundBad: (generation, worker, failure) => {
        const stderrTail = lastLinesOf(generation, worker);
        runner.dispatch({ type: 'generationFoundBad', generation, failure: { ...failure, stderrTail } });
      },
    });
  }

  return {
    async load({ rollout, workerKind }) {
      if (rollout.rollbackOn !== null && errors === null) await loadErrors();
      if (workerKind.readiness.when === 'answers' && health === null) await loadHealth();
    },
    observe(event) {
      errors?.observe(event);
      health?.observe(event);
    },
    errors: () => errors?.counts() ?? null,
  };
}
