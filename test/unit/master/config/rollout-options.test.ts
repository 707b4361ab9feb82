import { expect, test } from 'vitest';
import { compileOptions, compileProgram } from '../../../../src/master/config/options.ts';
import { parseRollbackOn } from '../../../../src/master/config/rollout-options.ts';

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
