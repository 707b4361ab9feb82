import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  errorRateFailure,
  excessiveErrors,
  noRequests,
  recent,
  type Sample,
} from '../../../../../src/master/program/rollout/error-rate.ts';

const bound = { share: 0.05, overMs: 10_000, atLeast: 50 };

/** [requests, errors] of the new generation, and of the previous one. */
function sample(at: number, current: [number, number], previous: [number, number] = [0, 0]): Sample {
  const counts = ([requests, serverErrors]: [number, number]) => ({ requests, serverErrors });
  return { at, current: counts(current), previous: counts(previous) };
}

test.for([
  ['too few requests', [100, 49, 49], [0, 0, 0], false],
  ['exactly the bound', [100, 100, 5], [0, 0, 0], false],
  ['above the bound', [100, 100, 6], [0, 0, 0], true],
  ['as many as the old one failed before', [100, 100, 20], [100, 20, 0], false],
  ['a bit more than the old one failed before', [100, 100, 24], [100, 20, 0], false],
  ['more than the bound above what the old one failed before', [100, 100, 26], [100, 20, 0], true],
  ['the old one had too few requests to compare with', [100, 100, 20], [49, 49, 0], true],
  ['the old one fails the same now, on the connections that it kept', [100, 100, 20], [100, 0, 20], false],
] as const)('%s', ([, [, requests, errors], [olderRequests, errorsBefore, errorsNow], isBad]) => {
  const before = { requests: olderRequests, serverErrors: errorsBefore };
  const samples = [
    sample(0, [0, 0], [olderRequests, errorsBefore]),
    sample(2_000, [requests, errors], [2 * olderRequests, errorsBefore + errorsNow]),
  ];
  expect(excessiveErrors(samples, before, bound) !== null).toBe(isBad);
});

test('what is older than the window does not count', () => {
  const errorsFirst = [
    sample(0, [0, 0]),
    sample(1_000, [40, 40]),
    sample(5_000, [40, 40]),
    sample(12_000, [140, 40]),
  ];
  expect(excessiveErrors(errorsFirst, noRequests, bound)).toBeNull();
  expect(excessiveErrors(errorsFirst.slice(0, 2), noRequests, { ...bound, atLeast: 40 })).toEqual({
    requests: 40,
    serverErrors: 40,
    overMs: 1_000,
    previous: null,
  });
});

test('samples that no later verdict needs are forgotten, and that changes no verdict', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ ms: fc.integer({ min: 1, max: 6_000 }), ok: fc.nat(60), bad: fc.nat(9) }), {
        minLength: 1,
        maxLength: 60,
      }),
      (steps) => {
        let all: readonly Sample[] = [sample(0, [0, 0])];
        let kept = all;
        for (const { ms, ok, bad } of steps) {
          const last = all.at(-1) ?? sample(0, [0, 0]);
          const { requests, serverErrors } = last.current;
          const next = sample(last.at + ms, [requests + ok + bad, serverErrors + bad]);
          all = [...all, next];
          kept = recent([...kept, next], bound.overMs);
          expect(excessiveErrors(kept, noRequests, bound)).toEqual(excessiveErrors(all, noRequests, bound));
          expect(kept.filter(({ at }) => at <= next.at - bound.overMs).length).toBeLessThanOrEqual(1);
          const rate = excessiveErrors(kept, noRequests, bound);
          if (rate === null) continue;
          expect(rate.requests).toBeGreaterThanOrEqual(bound.atLeast);
          expect(rate.serverErrors / rate.requests).toBeGreaterThan(bound.share);
        }
      },
    ),
  );
});

test('the failure has the figures, also in words', () => {
  const rate = { requests: 60, serverErrors: 12, overMs: 3_200, previous: { requests: 80, serverErrors: 8 } };
  expect(errorRateFailure(rate, bound, ['boom'])).toMatchObject({
    reason: 'tooManyErrors',
    message:
      '12 of its 60 requests in 3.2s (20%) were answered with a status of 500 to 599, and at most 5% are allowed in addition to the 10% of the previous generation',
    stderrTail: ['boom'],
    errorRate: rate,
  });
});
