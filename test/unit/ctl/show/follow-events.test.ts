import { expect, test } from 'vitest';
import { createEventRenderer } from '../../../../src/ctl/show/follow-events.ts';
import { plain } from '../../../../src/ctl/show/status-view.ts';
import { exampleEvents } from '../../../helpers/example-events.ts';

test('an event of a newer master is shown as it came, without control characters', () => {
  expect(createEventRenderer(plain)('{"event":"moonRisen"}\u001B[2J')).toBe('{"event":"moonRisen"}\n');
});

test('an event with a failure shows the last words below', () => {
  const event = exampleEvents.find(({ event }) => event === 'generationFailed');
  const text = createEventRenderer(plain)(JSON.stringify({ ...event, program: 'web', time: 1 }));
  expect(text).toContain('Error: boom');
  expect(text.endsWith('\n')).toBe(true);
});

test('that a worker no longer accepts connections is said once, unless it accepted again', () => {
  const render = createEventRenderer(plain);
  const said = (event: string, pid = 7): boolean =>
    render(JSON.stringify({ event, generation: 1, slot: 0, pid, program: 'web', time: 1 })) !== '';
  expect(said('workerAcceptsNoMore')).toBe(true);
  expect(said('workerAcceptsNoMore')).toBe(false);
  expect(said('workerAcceptsNoMore', 8)).toBe(true);
  expect(said('workerResumed')).toBe(true);
  expect(said('workerAcceptsNoMore')).toBe(true);
});
