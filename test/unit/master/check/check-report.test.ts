import { expect, test } from 'vitest';
import { candidateLines, goodLine, type CandidateResult } from '../../../../src/master/check/check-report.ts';

const good: CandidateResult = {
  program: 'shop',
  ready: true,
  durationMs: 412.4,
  failure: null,
  stopProblem: null,
};

test('a candidate that became ready is one line with the time that it took', () => {
  expect(candidateLines(good)).toEqual(['shop: ready after 412ms']);
  expect(candidateLines({ ...good, stopProblem: 'it did not end' })).toEqual([
    'shop: ready after 412ms; it did not end',
  ]);
});

test('a candidate that failed is a line with the reason, and its hint and last lines below it', () => {
  const failure = {
    reason: 'exited',
    message: 'the worker exited with code 1 before it was ready',
    hint: 'see its output',
    errorCode: null,
    outcome: { code: 1, signal: null },
    stderrTail: ['Error: no database', '    at main (app.js:1:1)'],
  } as const;
  expect(candidateLines({ ...good, ready: false, durationMs: 1_500, failure })).toEqual([
    'shop: not ready after 1.5s: the worker exited with code 1 before it was ready: Error: no database',
    '  hint: see its output',
    '  its last lines:',
    '  | Error: no database',
    '  |     at main (app.js:1:1)',
  ]);
});

test('a check that finds nothing says how much it has looked at', () => {
  expect(goodLine('graceful.toml', 3)).toBe('graceful.toml: 3 programs, nothing wrong');
  expect(goodLine('command line', 1)).toBe('command line: 1 program, nothing wrong');
});
