import { expect, test } from 'vitest';
import { fieldsOf } from '../../../../src/master/log/log-fields.ts';
import { levelOf } from '../../../../src/master/log/log-levels.ts';
import type { MasterEvent } from '../../../../src/shared/events.ts';
import { exampleEvents } from '../../../helpers/example-events.ts';

const change = { generation: 2, slot: 0, pid: 7, durationMs: 1 };

test('a reload that goes well is told in four lines', () => {
  const reload: readonly MasterEvent[] = [
    { event: 'reloadRequested', cause: 'signal', generation: 2, pending: false },
    { event: 'generationStarted', generation: 2, workers: 1, release: null },
    { event: 'workerStarted', ...change, from: null, to: 'starting' },
    { event: 'workerReady', ...change, from: 'starting', to: 'ready' },
    { event: 'generationReady', generation: 2, durationMs: 1, probationMs: 0, release: null },
    { event: 'workerDraining', ...change, from: 'ready', to: 'draining', reason: 'reload' },
    {
      event: 'workerExited',
      ...change,
      from: 'draining',
      to: 'exited',
      outcome: { code: 0, signal: null },
      served: 1,
      migrated: 0,
      drained: 0,
      cut: 0,
      cleanUpsCut: 0,
      failure: null,
    },
  ];
  expect(reload.map((event) => levelOf(event)).filter((level) => level !== 'debug')).toEqual([
    'info',
    'info',
    'info',
    'info',
  ]);
});

test('what carries a failure is an error', () => {
  const failures = exampleEvents.filter((event) => 'failure' in event && event.failure !== null);
  expect(failures.length).toBeGreaterThan(1);
  for (const event of failures) expect(levelOf(event)).toBe('error');
});

test('a worker that takes the place of a failed one is told of, and connections that were cut are a warning', () => {
  const ready: MasterEvent = { event: 'workerReady', ...change, from: 'starting', to: 'ready' };
  expect([levelOf(ready), levelOf(ready, true)]).toEqual(['debug', 'info']);
  const exited = exampleEvents.find((event) => event.event === 'workerExited');
  expect(exited && levelOf({ ...exited, cut: 3 })).toBe('warn');
});

test('the pid of an event becomes `worker`, so that `pid` is the master in every line', () => {
  for (const event of exampleEvents) {
    const fields = fieldsOf({ ...event, program: 'web', time: 1 });
    expect(fields).not.toHaveProperty('pid');
    expect('slot' in event && 'pid' in event ? fields['worker'] : 'none').toBe(
      'slot' in event && 'pid' in event ? event.pid : 'none',
    );
  }
});

test('a worker that crashes while it drains is a warning, though nothing was cut', () => {
  const exited = exampleEvents.find((event) => event.event === 'workerExited');
  const failed = exampleEvents.find((event) => event.event === 'workerFailed');
  expect(exited && failed && levelOf({ ...exited, failure: failed.failure })).toBe('warn');
});
