/** Whether a generation on probation fails too many requests, decided from counts. Pure. */
import { formatDuration } from '../../../shared/durations.ts';
import type { ErrorRate, Failure, RequestCounts } from '../../../shared/events.ts';
import type { ErrorRateBound } from '../../config/plan.ts';

/** What both generations have answered up to a moment. The counts never fall. */
export interface Sample {
  readonly at: number;
  readonly current: RequestCounts;
  readonly previous: RequestCounts;
}

export const noRequests: RequestCounts = { requests: 0, serverErrors: 0 };

export function difference(before: RequestCounts, after: RequestCounts): RequestCounts {
  return {
    requests: after.requests - before.requests,
    serverErrors: after.serverErrors - before.serverErrors,
  };
}

/** Drops the oldest of `samples` that no later verdict needs. The samples are ordered by time. */
export function recent(samples: readonly Sample[], overMs: number): readonly Sample[] {
  const end = (samples.at(-1)?.at ?? 0) - overMs;
  return samples.slice(
    Math.max(
      0,
      samples.findLastIndex(({ at }) => at <= end),
    ),
  );
}

/**
 * The error rate, if it is too high; null otherwise. The share of requests that the previous generation fails is allowed in addition to the bound: the
 * database may be to blame, and going back would not help. That share is the larger one of two: of `before`, the requests until the new generation served,
 * and of those that it has answered since then, on the connections that it has kept.
 */
export function excessiveErrors(
  samples: readonly Sample[],
  before: RequestCounts,
  { share, overMs, atLeast }: ErrorRateBound,
): ErrorRate | null {
  const [first] = recent(samples, overMs);
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return null;
  const current = difference(first.current, last.current);
  if (current.requests < atLeast || current.serverErrors === 0) return null;
  const [previous = null] = [before, difference(first.previous, last.previous)]
    .filter(({ requests }) => requests >= atLeast)
    .sort((one, other) => shareOf(other) - shareOf(one));
  const allowed = share + (previous === null ? 0 : shareOf(previous));
  if (shareOf(current) <= allowed) return null;
  return { ...current, overMs: last.at - first.at, previous };
}

export function errorRateFailure(
  rate: ErrorRate,
  { share }: ErrorRateBound,
  stderrTail: readonly string[],
): Failure {
  const { previous } = rate;
  const compared =
    previous === null || previous.serverErrors === 0
      ? ''
      : ` in addition to the ${percent(shareOf(previous))} of the previous generation`;
  return {
    reason: 'tooManyErrors',
    message: `${rate.serverErrors} of its ${rate.requests} requests in ${formatDuration(rate.overMs)} (${percent(shareOf(rate))}) were answered with a status of 500 to 599, and at most ${percent(share)} are allowed${compared}`,
    hint: 'find the errors in the log of the release, and reload again once it is repaired; the bound is rollback_on (--rollback-on)',
    errorCode: null,
    outcome: null,
    stderrTail,
    errorRate: rate,
  };
}

function shareOf({ requests, serverErrors }: RequestCounts): number {
  return requests === 0 ? 0 : serverErrors / requests;
}

function percent(share: number): string {
  return `${Math.round(share * 1_000) / 10}%`;
}
