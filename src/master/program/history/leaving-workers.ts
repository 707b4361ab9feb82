/**
 * Knows which workers are there, and resolves when those of earlier generations are gone: what `reload --wait=drained` waits
 * for. It must not know how a worker ends.
 */
import type { ReloadResult } from '../../../shared/control-api.ts';
import type { MasterEvent } from '../../../shared/events.ts';
import { masterStopped } from './reload-results.ts';

export interface LeavingWorkers {
  observe(event: MasterEvent): void;
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
    observe(event) {
      if (event.event === 'workerStarted') {
        if (event.pid !== null) alive.set(event.pid, event.generation);
      } else if (event.event === 'workerExited' || event.event === 'workerFailed') {
        if (event.pid !== null) alive.delete(event.pid);
        answerThoseThatAreDone();
      } else if (event.event === 'stopRequested' || event.event === 'stopped') {
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
