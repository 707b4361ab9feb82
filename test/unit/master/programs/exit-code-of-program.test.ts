import { expect, test } from 'vitest';
import { exitCodeAfter } from '../../../../src/master/programs/exit-code-of-program.ts';
import type { Failure, Outcome } from '../../../../src/shared/events.ts';

function failedWith(outcome: Outcome | null): Failure {
  return {
    reason: outcome === null ? 'notReady' : 'exited',
    message: '',
    hint: null,
    errorCode: null,
    outcome,
    stderrTail: [],
  };
}

const withCode = { code: 4, signal: null };
const killed = { code: null, signal: 'SIGKILL' } as const;

test.each([
  ['a program that has exited gives its code', null, withCode, null, 4],
  ['whatever on_fatal is', null, withCode, 'stay', 4],
  ['also the code 0', null, { code: 0, signal: null }, 'exit', 0],
  ['a signal counts as in a shell', null, killed, null, 137],
  ['a program that was stopped by a request gives none', null, null, 'exit', null],
  ['one that has failed gives none by default', failedWith(withCode), null, null, null],
  ['nor with on_fatal = "stay"', failedWith(withCode), null, 'stay', null],
  ['with on_fatal = "exit" it gives the code of its last worker', failedWith(withCode), null, 'exit', 4],
  ['or the signal', failedWith(killed), null, 'exit', 137],
  ['if no worker has ended by itself, it gives none', failedWith(null), null, 'exit', null],
] as const)('%s', (_, failure, outcome, onFatal, code) => {
  expect(exitCodeAfter(failure, outcome, onFatal)).toBe(code);
});
