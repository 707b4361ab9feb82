import { expect, test } from 'vitest';
import { notReadyFailure, type LastWords } from '../../../src/master/shell/failures.ts';

const words: LastWords = {
  wasReady: false,
  notReadyYet: null,
  stderrTail: ['connecting to the database'],
  undeclared: [],
  declared: [10_086],
};

test('a worker that was asked in vain fails with what has come of it', () => {
  const failure = notReadyFailure(30_000, '/healthz', { ...words, notReadyYet: 'GET /healthz answered 503' });
  expect(failure).toMatchObject({ reason: 'notReady', stderrTail: words.stderrTail });
  expect(failure.message).toContain('GET /healthz answered 503');
});

test('a worker that could not even be asked is said to what it would have been asked', () => {
  expect(notReadyFailure(30_000, '/healthz', words).hint).toContain('/healthz');
  expect(notReadyFailure(30_000, null, words).hint).not.toContain('GET');
});
