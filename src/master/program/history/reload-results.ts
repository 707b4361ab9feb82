/**
 * Remembers how the last reload ended, and tells those who wait for one. A reload that went well is answered when nobody
 * but the new generation takes new connections: whoever asks next, asks the new one. It must not know how a reload works.
 */
import type { ReloadResult } from '../../../shared/control-api.ts';
import { GracefulRunError } from '../../../shared/errors.ts';
import type { MasterEvent } from '../../../shared/events.ts';
import type { Platform } from '../../process/platform.ts';

/**
 * `serving`: it serves; on probation, it has done so for a first moment, in which a program that listens before it is really ready
 * crashes. `settled`: its probation is over as well.
 */
export type ResultMoment = 'serving' | 'settled';

export interface ReloadResults {
  observe(event: MasterEvent, wallMs: number): void;
  /** Of the last reload: at first that it serves, and in the end the verdict. */
  last(): ReloadResult | null;
  /** Resolves when generation `number` has come to that moment or has failed. Rejects with `masterStopped` when neither will happen. */
  of(number: number, moment: ResultMoment): Promise<ReloadResult>;
}

/** How long a generation on probation is watched before it is said to serve: a broken build or a refused database shows by then. */
const firstMomentMs = 500;

interface Waiting {
  readonly number: number;
  readonly moment: ResultMoment;
  readonly resolve: (result: ReloadResult) => void;
  readonly reject: (error: Error) => void;
}

interface Held {
  readonly result: ReloadResult;
  readonly moments: readonly ResultMoment[];
  isObserved: boolean;
}

export function createReloadResults(arm: Platform['arm']): ReloadResults {
  let waiting: readonly Waiting[] = [];
  const acceptors = createAcceptors();
  /** Reloads that went well, while an old worker may still accept or the first moment is not over. */
  let held: readonly Held[] = [];
  let last: ReloadResult | null = null;

  function answer(result: ReloadResult, moments: readonly ResultMoment[]): void {
    const isMeant = ({ number, moment }: Waiting): boolean =>
      number === result.generation && moments.includes(moment);
    const answered = waiting.filter(isMeant);
    waiting = waiting.filter((one) => !isMeant(one));
    for (const { resolve } of answered) resolve(result);
  }

  function answerHeld(): void {
    if (!acceptors.areGone()) return;
    const ready = held.filter(({ isObserved }) => isObserved);
    held = held.filter(({ isObserved }) => !isObserved);
    for (const { result, moments } of ready) answer(result, moments);
  }

  function succeeded(result: ReloadResult, moments: readonly ResultMoment[]): void {
    last = result;
    const entry: Held = { result, moments, isObserved: result.probationMs === 0 };
    held = [...held, entry];
    if (!entry.isObserved)
      arm(Math.min(firstMomentMs, result.probationMs), () => {
        entry.isObserved = true;
        answerHeld();
      });
    // Which workers are told to pause or to drain is said after this event, in the same turn.
    queueMicrotask(answerHeld);
  }

  function failed(result: ReloadResult): void {
    last = result;
    held = held.filter(({ result: { generation } }) => generation !== result.generation);
    answer(result, ['serving', 'settled']);
  }

  return {
    observe: (event, endedAt) => {
      acceptors.observe(event);
      answerHeld();
      const verdict = { endedAt, ok: true, failure: null, probationMs: 0, serving: null, rolledBackTo: null };
      if (event.event === 'generationReady') {
        const { generation, durationMs, probationMs, release } = event;
        const moments = probationMs === 0 ? (['serving', 'settled'] as const) : (['serving'] as const);
        succeeded({ ...verdict, generation, serving: generation, durationMs, probationMs, release }, moments);
      } else if (event.event === 'generationSettled') {
        if (last !== null) succeeded({ ...last, endedAt, probationMs: 0 }, ['settled']);
      } else if (event.event === 'generationFailed') {
        const { generation, durationMs, failure, serving, release } = event;
        failed({ ...verdict, ok: false, generation, serving, durationMs, failure, release });
      } else if (event.event === 'generationRolledBack') {
        const { generation, durationMs, failure, to, release } = event;
        failed({
          ...verdict,
          ok: false,
          generation,
          durationMs,
          failure,
          serving: to,
          rolledBackTo: to,
          release,
        });
      } else if (event.event === 'stopRequested' || event.event === 'stopped') {
        for (const { reject } of waiting) reject(masterStopped());
        waiting = [];
      }
    },
    last: () => last,
    of: async (number, moment) =>
      new Promise((resolve, reject) => {
        waiting = [...waiting, { number, moment, resolve, reject }];
      }),
  };
}

/**
 * The old workers that were told to accept no more and have not confirmed it, by pid. One that is stuck may accept once more when it
 * wakes up; so it is waited for until it confirms or has ended, which it does at its drain timeout.
 */
function createAcceptors(): { observe(event: MasterEvent): void; areGone(): boolean } {
  const unconfirmed = new Set<number>();
  /** A worker that was signalled or paused may have confirmed long before it is told to drain. */
  const confirmed = new Set<number>();
  /** Accept again, and have not answered yet that they had paused: that answer will be about the past. */
  const behind = new Set<number>();
  return {
    observe(event) {
      if (!('pid' in event) || event.pid === null) return;
      const { event: name, pid } = event;
      if (name === 'workerPaused' || name === 'workerDraining') {
        if (!confirmed.has(pid)) unconfirmed.add(pid);
        return;
      }
      if (name === 'workerAcceptsNoMore') {
        if (behind.delete(pid)) return;
        confirmed.add(pid);
      } else if (name === 'workerResumed') {
        if (unconfirmed.has(pid)) behind.add(pid);
        confirmed.delete(pid);
      } else if (name === 'workerExited' || name === 'workerFailed') {
        behind.delete(pid);
        confirmed.delete(pid);
      } else {
        // It goes on to accept until it drains.
        if (name === 'workerNotPaused') behind.delete(pid);
        return;
      }
      unconfirmed.delete(pid);
    },
    areGone: () => unconfirmed.size === 0,
  };
}

export function masterStopped(action = 'reload'): GracefulRunError {
  return new GracefulRunError('masterStopped', `cannot ${action}: the master is stopping`, {
    hint: 'start it again once it has ended',
  });
}
