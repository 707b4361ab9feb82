import { expect, test } from 'vitest';
import { renderProgress } from '../../../src/ctl/progress.ts';
import { exampleEvents } from '../../helpers/example-events.ts';

test('of all events only the progress of a drain is shown while a command waits', () => {
  const shown = exampleEvents.flatMap(
    (event) => renderProgress(JSON.stringify({ ...event, program: 'web', time: 1 })) ?? [],
  );
  expect(shown).toEqual([
    'waiting for 1 worker with 1 request in flight, 3 connections open, for 29s at most; gracefulctl stop again stops at once',
  ]);
  expect(renderProgress('nonsense')).toBe(null);
});
