/** Remembers how the last reload ended, and tells those who wait for one. It must not know how a reload works. */
import type { ReloadResult } from '../shared/control-api.ts';
import { GracefulRunError } from '../shared/errors.ts';
import type { Fact } from '../shared/facts.ts';

export interface ReloadResults {
  observe(fact: Fact, wallMs: number): void;
  last(): ReloadResult | null;
  /** Resolves when generation `number` serves or has failed. Rejects with `masterStopped` when neither will happen. */
  of(number: number): Promise<ReloadResult>;
}

interface Waiting {
  readonly resolve: (result: ReloadResult) => void;
  readonly reject: (error: Error) => void;
}

export function createReloadResults(): ReloadResults {
  const waiting = new Map<number, Waiting[]>();
  let last: ReloadResult | null = null;

  const settle = (result: ReloadResult): void => {
    last = result;
    for (const { resolve } of waiting.get(result.generation) ?? []) resolve(result);
    waiting.delete(result.generation);
  };

  return {
    observe: (fact, endedAt) => {
      if (fact.event === 'generationReady' || fact.event === 'generationFailed') {
        const { generation, durationMs } = fact;
        const failure = fact.event === 'generationFailed' ? fact.failure : null;
        settle({ generation, ok: failure === null, endedAt, durationMs, failure });
      } else if (fact.event === 'stopRequested' || fact.event === 'stopped') {
        for (const { reject } of [...waiting.values()].flat()) reject(masterStopped());
        waiting.clear();
      }
    },
    last: () => last,
    of: async (number) =>
      new Promise((resolve, reject) => {
        waiting.set(number, [...(waiting.get(number) ?? []), { resolve, reject }]);
      }),
  };
}

export function masterStopped(): GracefulRunError {
  return new GracefulRunError('masterStopped', 'cannot reload: the master is stopping', {
    hint: 'start it again once it has ended',
  });
}
