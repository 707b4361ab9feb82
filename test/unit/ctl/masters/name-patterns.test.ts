import { expect, test } from 'vitest';
import { matchesName } from '../../../../src/ctl/masters/name-patterns.ts';

test.each([
  ['shop', 'shop', true],
  ['shop', 'shop2', false],
  ['*', 'anything', true],
  ['web-*', 'web-1', true],
  ['web-*', 'my-web-1', false],
  ['web-?', 'web-12', false],
  ['web-[1-3]', 'web-2', true],
  ['web-[!1-3]', 'web-2', false],
  ['a.c*', 'abc', false],
  ['a.c*', 'a.cd', true],
  ['web-[2-1]', 'web-1', false],
  ['web-[', 'web-[', true],
  ['(*', '(a', true],
])('%s matches %s: %s', (pattern, name, expected) => {
  expect(matchesName(pattern, name)).toBe(expected);
});
