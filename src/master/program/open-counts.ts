/** What workers have open. Workers are asked when that is needed, because they do not report it by themselves. */
import type { OpenCounts } from '../../shared/protocol.ts';
import type { RunningWorker } from './running-worker.ts';
import type { Platform } from '../process/platform.ts';

export interface OpenCountsBook {
  /** Asks these workers. Resolves when all have answered, or when their time is up. */
  ask(workers: readonly RunningWorker[]): Promise<void>;
  /** Called when a worker has answered. */
  received(worker: number, counts: OpenCounts): void;
  /** Called when a worker has ended. */
  forget(worker: number): void;
  /** The worker's answer to the latest question; null if there is none. */
  of(worker: number): OpenCounts | null;
}

/** How long a worker may take to answer. One that is too busy to answer by then has no counts. */
const answerMs = 300;

interface Question {
  readonly unanswered: Set<number>;
  readonly answered: () => void;
}

export function createOpenCounts(arm: Platform['arm']): OpenCountsBook {
  const known = new Map<number, OpenCounts>();
  const questions = new Set<Question>();

  const settle = (worker: number): void => {
    for (const { unanswered, answered } of questions)
      if (unanswered.delete(worker) && unanswered.size === 0) answered();
  };

  return {
    async ask(workers) {
      if (workers.length === 0) return;
      await new Promise<void>((resolve) => {
        const answered = (): void => {
          questions.delete(question);
          cancel();
          resolve();
        };
        const question = { unanswered: new Set(workers.map(({ id }) => id)), answered };
        const cancel = arm(answerMs, answered);
        questions.add(question);
        for (const { id, process } of workers) {
          known.delete(id);
          process.send({ type: 'report' });
        }
      });
    },
    received(worker, counts) {
      known.set(worker, counts);
      settle(worker);
    },
    forget(worker) {
      known.delete(worker);
      settle(worker);
    },
    of: (worker) => known.get(worker) ?? null,
  };
}
