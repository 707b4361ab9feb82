import { expect, test } from 'vitest';
import { nameAfter } from '../../../../src/master/config/plan-names.ts';
import { isProgramName } from '../../../../src/shared/program-name.ts';

test.each([
  ['/run/app.sock', 'app'],
  ['@app.socket', 'app'],
  ['/run/.app.sock', 'app'],
  ['/run/--help.sock', 'help'],
  ['/run/my app!', 'my-app-'],
  ['/run/...sock', 'socket'],
  ['/run/é', 'socket'],
  [`/run/${'x'.repeat(90)}`, 'x'.repeat(64)],
])('a program on unix:%s is called %s', (path, name) => {
  expect(nameAfter({ type: 'unix', path })).toBe(name);
  expect(isProgramName(name)).toBe(true);
});

test('on a port it is called by that, on a descriptor fd-N', () => {
  expect(nameAfter({ type: 'tcp', port: 10086 })).toBe('10086');
  expect(nameAfter({ type: 'fd', fd: 3 })).toBe('fd-3');
  expect(nameAfter(undefined)).toBe('0');
});
