/**
 * Remembers why a worker of a generation that serves, or has served, has crashed last. It must not know what is done about it, and leaves the
 * workers of a generation that has yet to prove itself to reload-results.ts.
 */
import type { WorkerCrash } from '../../../shared/control-api.ts';
import type { MasterEvent } from '../../../shared/events.ts';

export interface LastCrash {
  observe(event: MasterEvent, wallMs: number): void;
  last(): WorkerCrash | null;
}

export function createLastCrash(): LastCrash {
  let serving: number | null = null;
  let last: WorkerCrash | null = null;
  const hasServed = (generation: number): boolean => serving !== null && generation <= serving;
  return {
    observe: (event, endedAt) => {
      if (event.event === 'generationReady') serving = event.generation;
      else if (event.event === 'generationRolledBack') serving = event.to;
      else if (
        (event.event === 'workerFailed' ||
          event.event === 'workerRestartedItself' ||
          event.event === 'workerLostProgram') &&
        hasServed(event.generation)
      ) {
        const { generation, slot, pid, failure } = event;
        last = { generation, slot, pid, endedAt, failure };
      } else if (event.event === 'workerExited') {
        const { generation, slot, pid, failure } = event;
        if (failure === null || !hasServed(generation)) return;
        last = { generation, slot, pid, endedAt, failure };
      }
    },
    last: () => last,
  };
}
