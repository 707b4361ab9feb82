import { expect, test } from 'vitest';
import { servingGeneration } from '../../../../../src/master/program/lifecycle/state.ts';
import { drive, kinds, serving } from '../../../../helpers/lifecycle.ts';

const withoutGate = { capabilities: { isGated: false, migrates: false, reports: false } };

test('a worker without a gate counts as admitted once it is ready, and is asked nothing', () => {
  const it = drive(1, withoutGate);
  it.send({ type: 'startRequested', at: 0 });
  it.send({ type: 'workerSpawned', at: 1, worker: 1, pid: 1001 });
  const effects = it.send({ type: 'workerSaidReady', at: 100, worker: 1 });
  expect(servingGeneration(it.program)?.number).toBe(1);
  expect(kinds(effects)).not.toContain('admitWorker 1');
});

test('a generation without a gate has no probation: the one before it drains when it serves', () => {
  const it = serving(1, { ...withoutGate, probationMs: 2_000 });
  it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
  it.send({ type: 'workerSpawned', at: 1_001, worker: 2, pid: 1002 });
  const effects = it.send({ type: 'workerSaidReady', at: 1_100, worker: 2 });
  expect(it.program.phase).toBe('serving');
  expect(kinds(effects)).toContain('drainWorker 1');
  expect(kinds(effects)).not.toContain('pauseWorker 1');
});
