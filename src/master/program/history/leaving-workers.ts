/**
 * Knows which workers are there, and resolves when those of earlier generations are gone: what `reload --wait=drained` waits
 * for. It must not know how a worker ends.
 */
import type { ReloadResult } from '../../../shared/control-api.ts';
import type { Fact } from '../../../shared/events.ts';
import { masterStopped } from './reload-results.ts';

export interface LeavingWorkers {
  observe(fact: Fact): void;
  /**
   * The result once it is known and, if the reload went well, no worker of an earlier generation is left. Rejects as `served`
   * does, and with `masterStopped` when the master stops meanwhile.
   */
  goneAfter(served: Promise<ReloadResult>): Promise<ReloadResult>;
}

interface Waiting {
  readonly generation: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export function createLeavingWorkers(): LeavingWorkers {
  /** The generation of each worker that has a process, by pid. */
  const alive = new Map<number, number>();
  let waiting: readonly Waiting[] = [];

  const isGone = ({ generation }: Pick<Waiting, 'generation'>): boolean =>
    ![...alive.values()].some((other) => other < generation);

  const answerThoseThatAreDone = (): void => {
    const done = waiting.filter(isGone);
    waiting = waiting.filter((one) => !done.includes(one));
    for (const { resolve } of done) resolve();
  };

  return {
    observe(fact) {
      if (fact.event === 'workerStarted') {
        if (fact.pid !== null) alive.set(fact.pid, fact.generation);
      } else if (fact.event === 'workerExited' || fact.event === 'workerFailed') {
        if (fact.pid !== null) alive.delete(fact.pid);
        answerThoseThatAreDone();
      } else if (fact.event === 'stopRequested' || fact.event === 'stopped') {
        for (const { reject } of waiting) reject(masterStopped());
        waiting = [];
      }
    },
    async goneAfter(served) {
      const result = await served;
      if (!result.ok || isGone(result)) return result;
      await new Promise<void>((resolve, reject) => {
        waiting = [...waiting, { generation: result.generation, resolve, reject }];
      });
      return result;
    },
  };
}
