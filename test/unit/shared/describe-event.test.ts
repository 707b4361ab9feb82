import fc from 'fast-check';
import { describe as group, expect, test } from 'vitest';
import {
  describe,
  describeFailure,
  formatAddress,
  formatUrl,
  printable,
} from '../../../src/shared/describe-event.ts';
import { exampleEvents } from '../../helpers/example-events.ts';

group('describe', () => {
  test.each(exampleEvents.map((event) => [event.event, event] as const))(
    '%s has one line of words',
    (_event, event) => {
      const words = describe(event);
      expect(words).not.toMatch(/\n|undefined|null|NaN|\[object/);
      expect(words.length).toBeGreaterThan(5);
      expect(words.endsWith('.')).toBe(false);
    },
  );

  test('no two events say the same', () => {
    expect(new Set(exampleEvents.map((event) => describe(event))).size).toBe(exampleEvents.length);
  });

  test('text from elsewhere cannot forge a line', () => {
    const words = describe({ event: 'fileChanged', path: 'a\n{"level":"error"}\u001B[2J' });
    expect(words).not.toMatch(/\p{Cc}/u);
  });
});

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

test('the address of a listener is one that a terminal makes a link of, and that works here', () => {
  expect([
    formatUrl('127.0.0.1', 80),
    formatUrl('::1', 80),
    formatUrl('::', 80),
    formatUrl('0.0.0.0', 80),
  ]).toEqual([
    'http://127.0.0.1:80',
    'http://[::1]:80',
    'http://localhost:80 (every address)',
    'http://localhost:80 (every address)',
  ]);
});

test('text cannot turn its own direction, or end a line where some programs do', () => {
  expect(printable('a\u202Eb\u2028c\u2029d\u2066e\u0085f')).toBe('abcdef');
});

test('an IPv6 address is written so that its port can be told', () => {
  expect([formatAddress('::1', 80), formatAddress('127.0.0.1', 80)]).toEqual(['[::1]:80', '127.0.0.1:80']);
});

test('printable text has no control character left, and keeps everything else', () => {
  expect(printable('\u001B[31mréd\u001B[0m\u001B]0;title\u0007\tx\r')).toBe('réd    x');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/\p{Cc}/u);
    }),
  );
});
