/**
 * Remembers how the last reload ended, and tells those who wait for one. A reload that went well is answered when nobody
 * but the new generation takes new connections: whoever asks next, asks the new one. It must not know how a reload works.
 */
import type { ReloadResult } from '../shared/control-api.ts';
import { GracefulRunError } from '../shared/errors.ts';
import type { Fact } from '../shared/facts.ts';
import type { Platform } from './shell/platform.ts';

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

/** A worker that does not say within this time that it accepts no more is stuck, and does not accept either. */
const closingPatienceMs = 1_000;

export function createReloadResults(arm: Platform['arm']): ReloadResults {
  const waiting = new Map<number, Waiting[]>();
  /** Draining workers that have not said yet that they accept no more, by pid. */
  const closing = new Set<number>();
  /** Reloads that went well, while somebody still closes. */
  const held: ReloadResult[] = [];
  let disarm: (() => void) | null = null;
  let last: ReloadResult | null = null;

  const answer = (result: ReloadResult): void => {
    for (const { resolve } of waiting.get(result.generation) ?? []) resolve(result);
    waiting.delete(result.generation);
  };

  const answerHeld = (): void => {
    disarm?.();
    disarm = null;
    for (const result of held.splice(0)) answer(result);
  };

  const answerWhenClosed = (result: ReloadResult): void => {
    held.push(result);
    if (closing.size === 0) answerHeld();
    else {
      disarm ??= arm(closingPatienceMs, () => {
        closing.clear();
        answerHeld();
      });
    }
  };

  const closed = (pid: number | null): void => {
    if (pid !== null && closing.delete(pid) && closing.size === 0) answerHeld();
  };

  return {
    observe: (fact, endedAt) => {
      if (fact.event === 'workerDraining' && fact.pid !== null) closing.add(fact.pid);
      else if (fact.event === 'workerAcceptsNoMore' || fact.event === 'workerExited') closed(fact.pid);
      else if (fact.event === 'generationReady' || fact.event === 'generationFailed') {
        const { generation, durationMs } = fact;
        const failure = fact.event === 'generationFailed' ? fact.failure : null;
        const result = { generation, ok: failure === null, endedAt, durationMs, failure };
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

export function masterStopped(): GracefulRunError {
  return new GracefulRunError('masterStopped', 'cannot reload: the master is stopping', {
    hint: 'start it again once it has ended',
  });
}
