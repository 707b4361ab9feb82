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
  resolve(result: ReloadResult): void;
  reject(error: Error): void;
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
      switch (fact.event) {
        case 'generationReady':
          settle({ generation: fact.generation, ok: true, endedAt, durationMs: fact.durationMs, failure: null });
          return;
        case 'generationFailed':
          settle({
            generation: fact.generation,
            ok: false,
            endedAt,
            durationMs: fact.durationMs,
            failure: fact.failure,
          });
          return;
        case 'stopRequested':
        case 'stopped':
          for (const { reject } of [...waiting.values()].flat()) reject(masterStopped());
          waiting.clear();
          return;
        default:
          return;
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
