import { expect, test } from 'vitest';
import { decideRollout } from '../../../../../src/master/program/rollout/decide-rollout.ts';
import { serving, type Drive } from '../../../../helpers/lifecycle.ts';

function refusalOf(it: Drive): string {
  try {
    decideRollout('rollback', 'shop', { state: () => it.program, dispatch: () => undefined });
  } catch (error) {
    return String(error);
  }
  throw new Error('not refused');
}

test('what cannot be decided says why', () => {
  const it = serving(1, { probationMs: 2_000 });
  expect(refusalOf(it)).toContain(
    'cannot roll back shop: no reload is under way, and no generation is on probation',
  );
  it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
  it.send({ type: 'reloadRequested', at: 1_001, cause: 'signal' });
  it.send({ type: 'rollbackRequested', at: 1_002 });
  expect(it.program).toMatchObject({ phase: 'serving', pendingSince: 1_001 });
  expect(refusalOf(it)).toContain('cannot roll back shop: its next reload has not begun yet');
});

test('a reload whose workers do not serve yet can be gone back from, but not gone on with', () => {
  const it = serving();
  it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
  const parts = { state: () => it.program, dispatch: () => undefined };
  expect(decideRollout('rollback', 'shop', parts)).toEqual({ generation: 1 });
  expect(() => decideRollout('promote', 'shop', parts)).toThrow('its new workers do not serve yet');
});
