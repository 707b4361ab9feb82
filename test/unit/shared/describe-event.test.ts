import { describe as group, expect, test } from 'vitest';
import { describe } from '../../../src/shared/describe-event.ts';
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
