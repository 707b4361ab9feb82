import { expect, test } from 'vitest';
import { describeProblem, describeProblemAndHint } from '../../../src/shared/describe-problem.ts';

test.each([
  [{}, '/etc/a.toml:3:8: program.shop.port: expected a whole number (did you mean 80?)'],
  [{ column: null, hint: null }, '/etc/a.toml:3: program.shop.port: expected a whole number'],
  [{ line: null, key: null, hint: null }, '/etc/a.toml: expected a whole number'],
  [{ file: null, line: null, key: null, hint: null }, 'expected a whole number'],
  [{ key: null, hint: null, message: 'cannot\nread \u001B[31mit' }, '/etc/a.toml:3:8: cannot read it'],
])('a problem of a file is one line: %j', (facts, line) => {
  const problem = {
    file: '/etc/a.toml',
    line: 3,
    column: 8,
    key: 'program.shop.port',
    message: 'expected a whole number',
    hint: 'did you mean 80?',
  };
  expect(describeProblemAndHint({ ...problem, ...facts })).toBe(line);
  expect(describeProblem({ ...problem, ...facts })).toBe(line.replace(' (did you mean 80?)', ''));
});
