import { expect, test } from 'vitest';
import { describeFailure } from '../../../src/shared/describe-failure.ts';

test('a failure brings its hint and every last line', () => {
  const lines = describeFailure({
    reason: 'exited',
    message: 'it exited',
    hint: 'try it by hand',
    errorCode: null,
    outcome: { code: null, signal: 'SIGSEGV' },
    stderrTail: ['one', 'two'],
  }).join('\n');
  for (const part of ['try it by hand', 'one', 'two']) expect(lines).toContain(part);
});
