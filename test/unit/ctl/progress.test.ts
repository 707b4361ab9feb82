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

test('a worker whose requests are done, and whose clean-up runs, is not said to have 0 requests', () => {
  const shown = (open: object): string | null =>
    renderProgress(JSON.stringify({ ...exampleEvents.find(isProgress), ...open, program: 'web', time: 1 }));
  const isProgress = ({ event }: { event: string }): boolean => event === 'stillDraining';
  expect(shown({ requests: 0, connections: 0, cleaningUp: 1 })).toContain(
    'waiting for 1 worker with clean-up handlers running, ',
  );
  expect(shown({ workers: 2, requests: 1, connections: 1, cleaningUp: 1 })).toContain(
    'waiting for 2 workers with 1 request in flight, 1 connection open, clean-up handlers running, ',
  );
});
