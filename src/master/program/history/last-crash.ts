/**
 * Remembers why a worker of a generation that serves, or has served, has crashed last. It must not know what is done about it, and leaves the
 * workers of a generation that has yet to prove itself to reload-results.ts.
 */
import type { WorkerCrash } from '../../../shared/control-api.ts';
import type { Fact } from '../../../shared/events.ts';
import { drainCrash } from '../drain-crash.ts';

export interface LastCrash {
  observe(fact: Fact, wallMs: number): void;
  last(): WorkerCrash | null;
}

export function createLastCrash(): LastCrash {
  let serving: number | null = null;
  let last: WorkerCrash | null = null;
  const hasServed = (generation: number): boolean => serving !== null && generation <= serving;
  return {
    observe: (fact, endedAt) => {
      if (fact.event === 'generationReady') serving = fact.generation;
      else if (fact.event === 'generationRolledBack') serving = fact.to;
      else if (
        (fact.event === 'workerFailed' ||
          fact.event === 'workerRestartedItself' ||
          fact.event === 'workerLostProgram') &&
        hasServed(fact.generation)
      ) {
        const { generation, slot, pid, failure } = fact;
        last = { generation, slot, pid, endedAt, failure };
      } else if (fact.event === 'workerExited') {
        const failure = drainCrash(fact);
        if (failure === null || !hasServed(fact.generation)) return;
        const { generation, slot, pid } = fact;
        last = { generation, slot, pid, endedAt, failure };
      }
    },
    last: () => last,
  };
}
