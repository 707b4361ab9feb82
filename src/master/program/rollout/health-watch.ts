/**
 * Requests the health path of new workers again while their generation is to prove itself: during a probation, and between the steps of a reload. If one
 * worker fails several times in a row, its generation is rolled back. No timer is armed at other times.
 */
import type { Failure, MasterEvent } from '../../../shared/events.ts';
import type { Platform } from '../../process/platform.ts';
import { provingAfter } from './proving.ts';

/** A worker that serves and has a health path. */
export interface AskedWorker {
  readonly id: number;
  readonly generation: number;
  readonly pid: number | null;
}

export interface HealthWatchParts {
  readonly arm: Platform['arm'];
  readonly nowMs: () => number;
  /** The workers that serve and have a health path. */
  readonly workers: () => readonly AskedWorker[];
  readonly ask: (worker: number) => void;
  /** The worker's answer to the latest question; null if there is none yet. */
  readonly answerOf: (worker: number) => { readonly problem: string | null } | null;
  readonly foundBad: (generation: number, worker: number, failure: Failure) => void;
}

export interface HealthWatch {
  observe(event: MasterEvent): void;
}

/** How many failures of one worker in a row are too many. */
export const failuresInARow = 3;
const longestPauseMs = 5_000;
const shortestPauseMs = 250;
/** How often each worker is asked in the time in which its generation proves itself: often enough to fail even in a short time. */
const asksInTime = 6;
/** How long a worker may take to answer. It gives up a request itself after 5 s, so a worker that says nothing at all is stuck. */
const answerMs = 6_000;

interface Asked {
  readonly since: number;
  readonly failures: number;
}

interface Round {
  readonly generation: number;
  pauseMs: number;
  /** For each worker: when it was last asked, and how often it had failed in a row before. */
  readonly asked: Map<number, Asked>;
  cancel: () => void;
}

export function createHealthWatch(parts: HealthWatchParts): HealthWatch {
  let round: Round | null = null;

  function end(): void {
    round?.cancel();
    round = null;
  }

  function begin(generation: number, timeMs: number): void {
    const pauseMs = Math.min(longestPauseMs, Math.max(shortestPauseMs, timeMs / asksInTime));
    if (round?.generation === generation) {
      round.pauseMs = pauseMs;
      return;
    }
    end();
    round = { generation, pauseMs, asked: new Map(), cancel: () => undefined };
    schedule(round);
  }

  function schedule(own: Round): void {
    own.cancel = parts.arm(own.pauseMs, () => {
      look(own);
    });
  }

  function look(own: Round): void {
    for (const worker of parts.workers()) {
      if (worker.generation !== own.generation) continue;
      const problem = lookAt(own, worker);
      if (problem === null) continue;
      end();
      parts.foundBad(own.generation, worker.id, unhealthy(worker, problem));
      return;
    }
    schedule(own);
  }

  /** Evaluates the answer of one worker and asks it again. Returns the latest problem if there are too many in a row; null otherwise. */
  function lookAt(own: Round, { id }: AskedWorker): string | null {
    const before = own.asked.get(id);
    const answer = before === undefined ? null : parts.answerOf(id);
    const isLate = before !== undefined && parts.nowMs() - before.since >= answerMs;
    if (before !== undefined && answer === null && !isLate) return null;
    const silence = isLate ? 'it does not answer, not even its master' : null;
    const problem = answer === null ? silence : answer.problem;
    const failures = problem === null ? 0 : (before?.failures ?? 0) + 1;
    if (problem !== null && failures >= failuresInARow) return problem;
    own.asked.set(id, { since: parts.nowMs(), failures });
    parts.ask(id);
    return null;
  }

  return {
    observe(event) {
      const proving = provingAfter(event);
      if (proving === 'over') end();
      else if (proving !== null) begin(proving.generation, proving.timeMs);
    },
  };
}

function unhealthy({ pid }: AskedWorker, problem: string): Failure {
  return {
    reason: 'unhealthy',
    message: `worker ${pid ?? ''} was unhealthy ${failuresInARow} times in a row: ${problem}`,
    hint: 'find out why the health path fails, which is set by ready (--ready), and reload again once it is repaired',
    errorCode: null,
    outcome: null,
    stderrTail: [],
  };
}
