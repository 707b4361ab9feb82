import { expect, test } from 'vitest';
import { fieldsOf } from '../../../../src/master/log/log-fields.ts';
import { levelOf } from '../../../../src/master/log/log-levels.ts';
import type { Fact } from '../../../../src/shared/events.ts';
import { exampleFacts } from '../../../helpers/facts.ts';

const change = { generation: 2, slot: 0, pid: 7, durationMs: 1 };

test('a reload that goes well is told in four lines', () => {
  const reload: readonly Fact[] = [
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
      cut: 0,
      cleanUpsCut: 0,
    },
  ];
  expect(reload.map((fact) => levelOf(fact)).filter((level) => level !== 'debug')).toEqual([
    'info',
    'info',
    'info',
    'info',
  ]);
});

test('what carries a failure is an error', () => {
  const failures = exampleFacts.filter((fact) => 'failure' in fact && fact.failure !== null);
  expect(failures.length).toBeGreaterThan(1);
  for (const fact of failures) expect(levelOf(fact)).toBe('error');
});

test('a worker that takes the place of a failed one is told of, and connections that were cut are a warning', () => {
  const ready: Fact = { event: 'workerReady', ...change, from: 'starting', to: 'ready' };
  expect([levelOf(ready), levelOf(ready, true)]).toEqual(['debug', 'info']);
  const exited = exampleFacts.find((fact) => fact.event === 'workerExited');
  expect(exited && levelOf({ ...exited, cut: 3 })).toBe('warn');
});

test('the pid of a fact becomes `worker`, so that `pid` is the master in every line', () => {
  for (const fact of exampleFacts) {
    const fields = fieldsOf({ ...fact, program: 'web', time: 1 });
    expect(fields).not.toHaveProperty('pid');
    expect('slot' in fact && 'pid' in fact ? fields['worker'] : 'none').toBe(
      'slot' in fact && 'pid' in fact ? fact.pid : 'none',
    );
  }
});

test('a worker that crashes while it drains is a warning, though nothing was cut', () => {
  const ended = (code: number): Fact => ({
    event: 'workerExited',
    ...change,
    from: 'draining',
    to: 'exited',
    outcome: { code, signal: null },
    served: 1,
    migrated: 0,
    cut: 0,
    cleanUpsCut: 0,
  });
  expect([0, 1, 143].map((code) => levelOf(ended(code)))).toEqual(['info', 'warn', 'info']);
});
