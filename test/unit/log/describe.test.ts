import fc from 'fast-check';
import { describe as group, expect, test } from 'vitest';
import { describe, describeFailure, formatAddress, printable } from '../../../src/shared/describe.ts';
import { exampleFacts } from '../../helpers/facts.ts';

group('describe', () => {
  test.each(exampleFacts.map((fact) => [fact.event, fact] as const))(
    '%s has one line of words',
    (_event, fact) => {
      const words = describe(fact);
      expect(words).not.toMatch(/\n|undefined|null|NaN|\[object/);
      expect(words.length).toBeGreaterThan(5);
      expect(words.endsWith('.')).toBe(false);
    },
  );

  test('no two facts say the same', () => {
    expect(new Set(exampleFacts.map(describe)).size).toBe(exampleFacts.length);
  });

  test('text from elsewhere cannot forge a line', () => {
    const words = describe({ event: 'fileChanged', path: 'a\n{"level":"error"}\u001B[2J' });
    expect(words).not.toMatch(/\p{Cc}/u);
  });
});

test('a failure brings its outcome, its hint and every last line', () => {
  const lines = describeFailure({
    reason: 'exited',
    message: 'it exited',
    hint: 'try it by hand',
    errorCode: null,
    outcome: { code: null, signal: 'SIGSEGV' },
    stderrTail: ['one', 'two'],
  }).join('\n');
  for (const part of ['SIGSEGV', 'try it by hand', 'one', 'two']) expect(lines).toContain(part);
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
