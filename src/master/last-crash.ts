/**
 * Remembers why a worker of the serving generation has crashed last. It must not know what is done about it, and leaves the
 * workers of a generation that has yet to prove itself to reload-results.ts.
 */
import type { WorkerCrash } from '../shared/control-api.ts';
import type { Fact } from '../shared/facts.ts';

export interface LastCrash {
  observe(fact: Fact, wallMs: number): void;
  last(): WorkerCrash | null;
}

export function createLastCrash(): LastCrash {
  let serving: number | null = null;
  let last: WorkerCrash | null = null;
  return {
    observe: (fact, endedAt) => {
      if (fact.event === 'generationReady') serving = fact.generation;
      else if (fact.event === 'generationRolledBack') serving = fact.to;
      else if (
        (fact.event === 'workerFailed' ||
          fact.event === 'workerRestartedItself' ||
          fact.event === 'workerLostProgram') &&
        fact.generation === serving
      ) {
        const { generation, slot, pid, failure } = fact;
        last = { generation, slot, pid, endedAt, failure };
      }
    },
    last: () => last,
  };
}
