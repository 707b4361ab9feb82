import { expect, test } from 'vitest';
import { drainCrash } from '../../../../../src/master/program/lifecycle/worker-endings.ts';
import { silentEnd } from '../../../../../src/master/program/lifecycle/inputs.ts';
import type { Outcome } from '../../../../../src/shared/events.ts';
import { failure } from '../../../../helpers/fake-master.ts';

const end = (outcome: Outcome) => ({ ...silentEnd({ ...failure, outcome }), outcome });

test.each<[string, Outcome, boolean]>([
  ['exit code 0', { code: 0, signal: null }, false],
  ['exit code 1', { code: 1, signal: null }, true],
  ["a shell's code for SIGTERM", { code: 143, signal: null }, false],
  ['the signal that asked', { code: null, signal: 'SIGTERM' }, false],
  ['a signal of the kernel', { code: null, signal: 'SIGSEGV' }, true],
])('a draining worker that ends with %s', (_what, outcome, isCrash) => {
  expect(drainCrash('draining', end(outcome)) !== null).toBe(isCrash);
  // It was asked to end at once.
  expect(drainCrash('terminating', end(outcome))).toBe(null);
});

test('its failure has what it wrote last', () => {
  const crash = drainCrash('draining', end({ code: 1, signal: null }));
  expect(crash).toMatchObject({ stderrTail: failure.stderrTail, outcome: { code: 1 } });
});
