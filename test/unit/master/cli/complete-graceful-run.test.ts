import { expect, test } from 'vitest';
import { completeWords } from '../../../../src/master/cli/complete-graceful-run.ts';

function complete(line: string): { readonly words: readonly string[]; readonly more: unknown } {
  const { candidates, more } = completeWords(line.split(' '));
  return { words: candidates.map(({ word }) => word), more };
}

test.each([
  ['-c ', 'files'],
  ['--config ', 'files'],
  ['--config=', 'files'],
  ['--cwd ', 'folders'],
  ['--port ', 'nothing'],
  ['no', { commandAt: 0 }],
  ['--port 80 no', { commandAt: 2 }],
  ['--port 80 -- node ap', { commandAt: 3 }],
  ['--port=80 --reuse-port node --he', { commandAt: 2 }],
  // A list takes every word until the next option.
  ['--watch src lib ', 'files'],
  ['--listen 80 81 -- node ', { commandAt: 4 }],
])('graceful-run %s', (line, more) => {
  expect(complete(line).more).toEqual(more);
});

test('values of options are completed behind a space and behind =', () => {
  expect(complete('--log-format ').words).toEqual(['json', 'pretty']);
  expect(complete('--log-format=').words).toEqual(['--log-format=json', '--log-format=pretty']);
  expect(complete('completion ').words).toEqual(['bash', 'zsh', 'fish']);
});

test('what is on by default can be turned off, and what was given is not offered again', () => {
  const { words } = complete('--port 80 --');
  expect(words).toContain('--no-migrate');
  expect(words).not.toContain('--migrate');
  expect(words).not.toContain('--port');
});
