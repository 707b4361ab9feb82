/** Holds back the workers of a generation until its hook pre_start has succeeded. */
import type { Failure } from '../../shared/events.ts';
import type { Effect } from './lifecycle/inputs.ts';

type StartWorker = Extract<Effect, { type: 'startWorker' }>;

/** What has to be done before the workers of a generation are started. */
export interface Preparation {
  /** Resolves to the reason why the workers cannot be started, or to null if they can. */
  readonly failure: Promise<Failure | null>;
  /** Called when the workers are not wanted any more. */
  readonly cancel: () => void;
}

export interface StartGateParts {
  /** Prepares a generation; null if nothing has to be done before its workers are started. */
  readonly prepare: (generation: number) => Preparation | null;
  /** Starts a worker. `wasHeld`: the worker has waited, and its time to become ready begins only now. */
  readonly start: (worker: StartWorker, wasHeld: boolean) => void;
  /** Called if a worker is not started. `failure`: the reason; null if the worker is not wanted any more. */
  readonly refused: (worker: number, failure: Failure | null) => void;
}

export interface StartGate {
  /** Starts the worker: at once, or when its generation is prepared. */
  enter(worker: StartWorker): void;
  /** Called when a worker is not wanted any more. Returns whether it was waiting here: then it is refused. */
  leave(worker: number): boolean;
}

interface Held {
  readonly preparation: Preparation;
  readonly waiting: StartWorker[];
}

export function createStartGate({ prepare, start, refused }: StartGateParts): StartGate {
  const held = new Map<number, Held>();
  /** Generations up to this one are prepared, so that a worker that replaces a failed one does not wait. */
  let prepared = 0;

  async function open(generation: number, { preparation, waiting }: Held): Promise<void> {
    const failure = await preparation.failure;
    held.delete(generation);
    if (failure === null && waiting.length > 0) prepared = Math.max(prepared, generation);
    for (const worker of waiting) {
      if (failure === null) start(worker, true);
      else refused(worker.worker, failure);
    }
  }

  return {
    enter(worker) {
      const { generation } = worker;
      const known = held.get(generation);
      if (known !== undefined) {
        known.waiting.push(worker);
        return;
      }
      const preparation = generation <= prepared ? null : prepare(generation);
      if (preparation === null) {
        start(worker, false);
        return;
      }
      const entry = { preparation, waiting: [worker] };
      held.set(generation, entry);
      void open(generation, entry);
    },
    leave(id) {
      for (const { preparation, waiting } of held.values()) {
        const index = waiting.findIndex(({ worker }) => worker === id);
        if (index === -1) continue;
        waiting.splice(index, 1);
        if (waiting.length === 0) preparation.cancel();
        refused(id, null);
        return true;
      }
      return false;
    },
  };
}
