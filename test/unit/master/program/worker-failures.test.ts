import { expect, test } from 'vitest';
import { exitFailure, type FailureContext } from '../../../../src/master/program/worker-failures.ts';

const words: FailureContext = {
  wasReady: false,
  notReadyYet: null,
  says: null,
  stderrTail: ['connecting to the database'],
  undeclared: [],
  withoutPreload: null,
  declared: [10_086],
};

test('a worker whose address is taken is told which one, where its stderr says it', () => {
  const exited = (...stderrTail: readonly string[]): string | null =>
    exitFailure({ code: 1, signal: null }, { ...words, stderrTail }).hint;
  expect(exited('Error: listen EADDRINUSE: address already in use :::9001', '    at app.js:1')).toContain(
    ':::9001 is in use',
  );
  expect(exited('listen EADDRINUSE: address already in use 127.0.0.1:9001 (will retry)')).toContain(
    '127.0.0.1:9001 is in use',
  );
  expect(exited('listen EADDRINUSE: address already in use /run/app.sock')).toContain(
    '/run/app.sock is in use',
  );
  expect(exited("  code: 'EADDRINUSE',")).toContain('its address is in use');
});

test('what holds an address in use may be another process, and is not always the old generation', () => {
  const hint = (address: string, declared: FailureContext['declared'] = words.declared): string | null =>
    exitFailure(
      { code: 1, signal: null },
      { ...words, declared, stderrTail: [`listen EADDRINUSE: address already in use ${address}`] },
    ).hint;
  expect(hint(':::9001')).toContain('another process');
  expect(hint(':::9001')).toContain('ss -ltnup');
  expect(hint('/run/app.sock')).toContain('ss -lxp');
  // The command line takes --port once, and not beside --listen.
  expect(hint(':::9001')).toMatch(/including this one \(9001\), in listen \(--listen\)/);
  expect(hint('127.0.0.1:9001')).toContain('(127.0.0.1:9001)');
  expect(hint('::1:9001')).toContain('([::1]:9001)');
  expect(hint('/run/app.sock')).toContain('(unix:/run/app.sock)');
  // A program that serves nobody cannot have a listener.
  expect(hint(':::9001', [])).not.toContain('--listen');
});

test.each([
  'OSError: [Errno 98] Address already in use',
  'listen tcp :8000: bind: address already in use',
  'java.net.BindException: Address already in use',
])('a program that binds the held port by itself is told that it has to inherit it: %s', (line) => {
  const context = { ...words, declared: [8000], stderrTail: [line] };
  const { hint } = exitFailure({ code: 1, signal: null }, context);
  expect(hint).toContain('port 8000, which graceful-run holds');
  expect(hint).toContain('LISTEN_FDS');
});

test('a program without a listener is told of none', () => {
  const none = { ...words, declared: [] };
  const hint = (context: Partial<FailureContext>): string | null =>
    exitFailure({ code: 1, signal: null }, { ...none, ...context }).hint;
  expect(hint({ stderrTail: ['bind: Address already in use'] })).toContain('ss -ltnup');
  expect(hint({ undeclared: ['127.0.0.1:9001'] })).not.toContain('graceful-run holds');
});

test.each(['preload', 'boot'])(
  'a program that may not read %s.cjs is told the permission that it needs',
  (name) => {
    const stderrTail = ["  code: 'ERR_ACCESS_DENIED',", `  resource: '/opt/worker/${name}.cjs'`];
    expect(exitFailure({ code: 1, signal: null }, { ...words, stderrTail }).hint).toContain(
      '--allow-fs-read=/opt/worker/*',
    );
  },
);

test('what Deno and Bun say about the held port leads to a hint that names them', () => {
  const hint = (line: string): string | null =>
    exitFailure({ code: 1, signal: null }, { ...words, stderrTail: [line] }).hint;
  expect(hint('error: Uncaught (in promise) AddrInUse: Address already in use (os error 98)')).toContain(
    'Deno',
  );
  expect(hint('error: Failed to start server. Is port 10086 in use?')).toContain('Bun');
  expect(hint('cannot listen on *:80: … ERR_LISTENER_NOT_INHERITED')).toContain(
    'closed the file descriptor of the listener',
  );
});

test('what a program said of itself before it exited is in the reason, unless it was ready', () => {
  const exited = (wasReady: boolean): string =>
    exitFailure({ code: 1, signal: null }, { ...words, wasReady, says: 'no database (error 111)' }).message;
  expect(exited(false)).toContain('no database (error 111)');
  expect(exited(true)).not.toContain('no database');
});
