import { describe, expect, test } from 'vitest';
import { createEventRenderer } from '../../../src/ctl/follow-events.ts';
import { readEventRecord } from '../../../src/ctl/event-schemas.ts';
import { plain } from '../../../src/ctl/status-table.ts';
import { exampleEvents } from '../../helpers/example-events.ts';

describe('an event that comes over the wire', () => {
  test.each(exampleEvents.map((event) => [event.event, event] as const))('%s is known', (_event, event) => {
    const record = { ...event, program: 'web', time: 1 };
    expect(readEventRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  test.each([
    undefined,
    null,
    {},
    { event: 'toString', program: 'web', time: 1 },
    { event: 'listenersClosed' },
    { event: 'fileChanged', path: 1, program: 'web', time: 1 },
  ])('%j is not', (value) => {
    expect(readEventRecord(value)).toBe(null);
  });

  test('of a newer master is shown as it came, without control characters', () => {
    expect(createEventRenderer(plain)('{"event":"moonRisen"}\u001B[2J')).toBe('{"event":"moonRisen"}\n');
  });

  test('with a failure shows the last words below', () => {
    const event = exampleEvents.find(({ event }) => event === 'generationFailed');
    const text = createEventRenderer(plain)(JSON.stringify({ ...event, program: 'web', time: 1 }));
    expect(text).toContain('Error: boom');
    expect(text.endsWith('\n')).toBe(true);
  });
});
