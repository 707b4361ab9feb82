import { expect, test } from 'vitest';
import { lastProblem } from '../../../../src/ctl/show/last-problem.ts';
import { crashed, failed, served } from '../../../helpers/fake-master.ts';
import { programStatus } from '../../../helpers/example-programs.ts';

const nowMs = 61_000;
const crash = { ...crashed, endedAt: 49_000 };
const failedReload = { ...failed, endedAt: 1_000, serving: 1 };

test('a program that serves and has not failed has no problem', () => {
  expect(lastProblem(programStatus('shop', { lastReload: served }), nowMs)).toBe(null);
});

test('a crash of the generation that serves is told with its age and reason', () => {
  const problem = lastProblem(programStatus('shop', { lastCrash: crash }), nowMs);
  expect(problem).toMatch(/^worker failed 12s ago: .*Error: boom$/);
});

test('a crash is over when a later generation serves, but not while no worker does', () => {
  expect(lastProblem(programStatus('shop', { generation: 2, lastCrash: crash }), nowMs)).toBe(null);
  expect(lastProblem(programStatus('shop', { generation: 2, workers: [], lastCrash: crash }), nowMs)).toMatch(
    /^worker failed/,
  );
});

test('a reload or a start that failed, and one that was rolled back, are told apart', () => {
  const problem = (facts: object): string | null =>
    lastProblem(programStatus('shop', { lastReload: { ...failedReload, ...facts } }), nowMs);
  expect(problem({})).toMatch(/^reload failed 1m 0s ago: /);
  expect(problem({ serving: null })).toMatch(/^start failed 1m 0s ago: /);
  expect(problem({ rolledBackTo: 1 })).toMatch(/^generation 2 was rolled back 1m 0s ago: /);
});

test('of two problems the later one is told', () => {
  const facts = { lastReload: failedReload, lastCrash: crash };
  expect(lastProblem(programStatus('shop', facts), nowMs)).toMatch(/^worker failed/);
  expect(
    lastProblem(programStatus('shop', { ...facts, lastCrash: { ...crash, endedAt: 500 } }), nowMs),
  ).toMatch(/^reload failed/);
});

test('what a program waits for comes first', () => {
  const facts = { phase: 'idle', generation: null, workers: [], waitsFor: ['db', 'cache'] } as const;
  expect(lastProblem(programStatus('shop', { ...facts, lastCrash: crash }), nowMs)).toBe(
    'waits for db, cache',
  );
});
