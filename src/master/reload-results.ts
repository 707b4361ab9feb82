/**
 * Remembers how the last reload ended, and tells those who wait for one. A reload that went well is answered when nobody
 * but the new generation takes new connections: whoever asks next, asks the new one. It must not know how a reload works.
 */
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
  /**
   * Draining workers that have not said yet that they accept no more, by pid. One that is stuck may accept once more when it
   * wakes up; so it is waited for until it says so or has ended, which it does at its drain timeout.
   */
  const closing = new Set<number>();
  /** Reloads that went well, while somebody still closes. */
  const held: ReloadResult[] = [];
  let last: ReloadResult | null = null;

  const answer = (result: ReloadResult): void => {
    for (const { resolve } of waiting.get(result.generation) ?? []) resolve(result);
    waiting.delete(result.generation);
  };

  const answerHeld = (): void => {
    for (const result of held.splice(0)) answer(result);
  };

  const answerWhenClosed = (result: ReloadResult): void => {
    held.push(result);
    if (closing.size === 0) answerHeld();
  };

  const closed = (pid: number | null): void => {
    if (pid !== null && closing.delete(pid) && closing.size === 0) answerHeld();
  };

  return {
    observe: (fact, endedAt) => {
      if (fact.event === 'workerDraining' && fact.pid !== null) closing.add(fact.pid);
      else if (fact.event === 'workerAcceptsNoMore' || fact.event === 'workerExited') closed(fact.pid);
      else if (fact.event === 'generationReady' || fact.event === 'generationFailed') {
        const { generation, durationMs, release } = fact;
        const failure = fact.event === 'generationFailed' ? fact.failure : null;
        const result = { generation, ok: failure === null, endedAt, durationMs, failure, release };
        last = result;
        if (!result.ok) answer(result);
        else {
          // Which workers drain now is said after this fact, in the same turn.
          queueMicrotask(() => {
            answerWhenClosed(result);
          });
        }
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

export function masterStopped(action = 'reload'): GracefulRunError {
  return new GracefulRunError('masterStopped', `cannot ${action}: the master is stopping`, {
    hint: 'start it again once it has ended',
  });
}
