import { expect, test } from 'vitest';
import { compileOptions, compileProgram } from '../../../../../src/master/config/options.ts';
import { parseAmount, parseRollbackOn } from '../../../../../src/master/config/options/rollout-options.ts';

test.for([
  ['off', null],
  ['5xx > 5% over 10s, at least 50 requests', { share: 0.05, overMs: 10_000, atLeast: 50 }],
  ['5xx>0.5% over 1m', { share: 0.005, overMs: 60_000, atLeast: 50 }],
  ['5xx > 0% over 1s, at least 1 request', { share: 0, overMs: 1_000, atLeast: 1 }],
  ['5xx > 100% over 10s', undefined],
  ['5xx > 5% over 10', undefined],
  ['5xx > 5% over 500ms', undefined],
  ['5xx > 5% over 2h', undefined],
  ['5xx > 5% over 10s, at least 0 requests', undefined],
  ['5xx > 5%', undefined],
  ['4xx > 5% over 10s', undefined],
  ['', undefined],
] as const)('rollback_on: %s', ([written, plan]) => {
  expect(parseRollbackOn(written)).toEqual(plan);
});

const options = { command: ['node', 'app.js'], port: 0 };

test('a bound without a probation is refused, because there would be nothing to go back to', () => {
  const bad = { ...options, rollbackOn: '5xx > 5% over 10s', probation: '0s' };
  expect(() => compileOptions(bad, '/srv')).toThrow(
    expect.objectContaining({ code: 'badOption', hint: expect.stringContaining('60s') as string }),
  );
  expect(() => compileOptions({ ...bad, probation: '10s' }, '/srv')).not.toThrow();
  expect(() => compileOptions({ ...bad, rollbackOn: 'off' }, '/srv')).not.toThrow();
});

test('a program that answers no requests has no bound for their errors', () => {
  const worker = { command: ['node', 'app.js'], type: 'worker', rollbackOn: '5xx > 5% over 10s' } as const;
  expect(() => compileProgram('mailer', worker, '/srv')).toThrow(
    expect.objectContaining({ code: 'badOption', hint: 'leave it out' }),
  );
});

test.for([
  [1, { count: 1 }],
  [0, { count: 0 }],
  ['2', { count: 2 }],
  ['25%', { share: 0.25 }],
  ['100%', { share: 1 }],
  ['101%', null],
  ['half', null],
  [-1, null],
  [1.5, null],
  [1025, null],
] as const)('a number of workers, or a share: %s', ([written, amount]) => {
  expect(parseAmount(written)).toEqual(amount);
});

test('by default all new workers start at once; steps and canary last as long as the probation', () => {
  expect(compileProgram('shop', options, '/srv').rollout.steps).toEqual({
    maxSurge: null,
    maxUnavailable: { count: 0 },
    pauseMs: 2_000,
    canary: 0,
    canaryMs: 2_000,
  });
  const given = { ...options, workers: 4, maxSurge: '25%', canary: 1, probation: '60s', rolloutPause: '5s' };
  expect(compileProgram('shop', given, '/srv').rollout.steps).toMatchObject({
    maxSurge: { share: 0.25 },
    pauseMs: 5_000,
    canary: 1,
    canaryMs: 60_000,
  });
});

test.for([
  ['maxSurge', { maxSurge: 0 }],
  ['maxSurge', { maxSurge: '0%', maxUnavailable: 0 }],
  ['maxUnavailable', { maxUnavailable: 1 }],
  ['rolloutPause', { rolloutPause: '5s' }],
  ['canary', { canary: 1 }],
  ['canary', { canary: 4, workers: 4 }],
  ['canary', { canary: 1, workers: 4, probation: '0s' }],
  ['canary', { canary: 1, workers: 4, canaryTime: '0s' }],
  ['canaryTime', { canaryTime: '10s' }],
  ['maxSurge', { maxSurge: 1, type: 'worker', overlap: false }],
  ['canary', { canary: 1, workers: 4, type: 'oneshot' }],
] as const)('%s that makes no sense is refused: %o', ([option, given]) => {
  const { port, ...withoutPort } = options;
  const own = 'type' in given ? withoutPort : { ...withoutPort, port };
  expect(() => compileProgram('shop', { ...own, ...given }, '/srv')).toThrow(
    expect.objectContaining({ code: 'badOption', message: expect.stringContaining(option) as string }),
  );
});

test.for([
  { maxSurge: 0, maxUnavailable: 1 },
  { maxSurge: 1, rolloutPause: '0s' },
  { canary: 1, workers: 2 },
  { canary: 1, workers: 2, probation: '0s', canaryTime: '10s', rollbackOn: '5xx > 5% over 10s' },
  { canary: 1, workers: 'auto' },
  { canary: 0 },
] as const)('%o makes sense', (given) => {
  expect(() => compileProgram('shop', { ...options, ...given }, '/srv')).not.toThrow();
});
