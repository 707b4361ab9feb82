import { expect, test } from 'vitest';
import { errorLineOf } from '../../../src/shared/error-line.ts';

const node = [
  '/srv/app.js:1',
  'syntax error here',
  '       ^^^^^',
  '',
  "SyntaxError: Unexpected identifier 'error'",
  '    at wrapSafe (node:internal/modules/cjs/loader:1464:18)',
  '',
  'Node.js v20.20.2',
];

test.each([
  [node, "SyntaxError: Unexpected identifier 'error'"],
  [
    [
      'Error [ERR_MODULE_NOT_FOUND]: Cannot find package',
      '    at x {',
      "  code: 'ERR_MODULE_NOT_FOUND'",
      '}',
      '',
      'Node.js v24.1.0',
    ],
    'Error [ERR_MODULE_NOT_FOUND]: Cannot find package',
  ],
  [
    [
      'Error: listen EADDRINUSE: address already in use :::1',
      '    at a',
      "Emitted 'error' event on Server instance at:",
      '    at b',
    ],
    'Error: listen EADDRINUSE: address already in use :::1',
  ],
  [["Error: Cannot find module './x'", 'Require stack:', '- /srv/app.js'], "Error: Cannot find module './x'"],
  [
    [
      'Traceback (most recent call last):',
      '  File "a.py", line 1',
      "ModuleNotFoundError: No module named 'x'",
    ],
    "ModuleNotFoundError: No module named 'x'",
  ],
  [
    ['Exception in thread "main" java.lang.IllegalStateException: no', '\tat a.b(C.java:1)'],
    'Exception in thread "main" java.lang.IllegalStateException: no',
  ],
  [
    ['panic: no database', '', 'goroutine 1 [running]:', 'main.main()', '\t/srv/main.go:4', 'exit status 2'],
    'panic: no database',
  ],
  [["app.rb:1:in '<main>': no (RuntimeError)"], "app.rb:1:in '<main>': no (RuntimeError)"],
  [
    ['\u001B[31mTypeError: x is not a function\u001B[39m', '    at y'],
    '\u001B[31mTypeError: x is not a function\u001B[39m',
  ],
])('names the error with which the output ended: %#', (lines, error) => {
  expect(errorLineOf(lines)).toBe(error);
});

test.each([
  [['Error: cannot reach the cache, going on', '    at x', 'listening', 'shutting down']],
  [['  [cause]: Error: inner']],
  [['An Error: in a sentence']],
  [[]],
])(
  'an error that was followed by something else, or is a part of something else, is not the reason: %#',
  (lines) => {
    expect(errorLineOf(lines)).toBe(null);
  },
);

test('a very long error is shortened', () => {
  expect(errorLineOf([`Error: ${'x'.repeat(10_000)}`])?.length).toBeLessThan(400);
});
