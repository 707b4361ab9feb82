import { describe, expect, test } from 'vitest';
import { createEventRenderer } from '../../../src/ctl/follow-events.ts';
import { readObservation } from '../../../src/ctl/event-schemas.ts';
import { plain } from '../../../src/ctl/status-table.ts';
import { exampleFacts } from '../../helpers/facts.ts';

describe('an observation that comes over the wire', () => {
  test.each(exampleFacts.map((fact) => [fact.event, fact] as const))('%s is known', (_event, fact) => {
    const observation = { ...fact, program: 'web', time: 1 };
    expect(readObservation(JSON.parse(JSON.stringify(observation)))).toEqual(observation);
  });

  test.each([
    undefined,
    null,
    {},
    { event: 'toString', program: 'web', time: 1 },
    { event: 'listenersClosed' },
    { event: 'fileChanged', path: 1, program: 'web', time: 1 },
  ])('%j is not', (value) => {
    expect(readObservation(value)).toBe(null);
  });

  test('of a newer master is shown as it came, without control characters', () => {
    expect(createEventRenderer(plain)('{"event":"moonRisen"}\u001B[2J')).toBe('{"event":"moonRisen"}\n');
  });

  test('with a failure shows the last words below', () => {
    const fact = exampleFacts.find(({ event }) => event === 'generationFailed');
    const text = createEventRenderer(plain)(JSON.stringify({ ...fact, program: 'web', time: 1 }));
    expect(text).toContain('Error: boom');
    expect(text.endsWith('\n')).toBe(true);
  });
});
