/**
 * The load that workers have reported, and what the program has served in all. The totals never fall: for a worker that gives no answer, its previous
 * answer counts.
 */
import type { WorkerLoad } from '../../shared/protocol.ts';

/** What all workers have served, including those that have ended. */
export interface Served {
  readonly requests: number;
  /** Requests that were answered with a status of 500 to 599. */
  readonly serverErrors: number;
}

export interface WorkerLoads {
  received(worker: number, load: WorkerLoad): void;
  /** Called when a worker has ended. `report`: what it has served in its life; null if it did not report it. */
  ended(worker: number, report: { readonly served: number; readonly serverErrors: number } | null): void;
  /** The worker's latest answer; null if there is none. */
  of(worker: number): WorkerLoad | null;
  served(): Served;
  /** What the workers that have ended had served. */
  servedByEnded(): Served;
  /** Takes over what workers had served that ended under the previous image of this process. */
  resume(before: Served): void;
}

export function createWorkerLoads(): WorkerLoads {
  const known = new Map<number, WorkerLoad>();
  let requests = 0;
  let serverErrors = 0;

  return {
    received(worker, load) {
      const before = known.get(worker);
      known.set(worker, {
        ...load,
        served: Math.max(load.served, before?.served ?? 0),
        serverErrors: Math.max(load.serverErrors, before?.serverErrors ?? 0),
      });
    },
    ended(worker, report) {
      const last = known.get(worker);
      known.delete(worker);
      requests += Math.max(report?.served ?? 0, last?.served ?? 0);
      serverErrors += Math.max(report?.serverErrors ?? 0, last?.serverErrors ?? 0);
    },
    of: (worker) => known.get(worker) ?? null,
    servedByEnded: () => ({ requests, serverErrors }),
    resume(before) {
      ({ requests, serverErrors } = before);
    },
    served: () =>
      [...known.values()].reduce(
        (sum, load) => ({
          requests: sum.requests + load.served,
          serverErrors: sum.serverErrors + load.serverErrors,
        }),
        { requests, serverErrors },
      ),
  };
}
