import { describe, expect, test } from 'vitest';
import { readEventRecord } from '../../../../src/shared/schemas/event-schemas.ts';
import { exampleEvents } from '../../../helpers/example-events.ts';

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
});
