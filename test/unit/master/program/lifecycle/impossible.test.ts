import { expect, test } from 'vitest';
import { idleProgram } from '../../../../../src/master/program/lifecycle/state.ts';
import { step } from '../../../../../src/master/program/lifecycle/step.ts';
import { serving, settings } from '../../../../helpers/lifecycle.ts';

test('an input that a program cannot get is reported as an internal error and changes nothing', () => {
  const program = idleProgram(settings, 1);
  const { state, effects } = step(program, { type: 'debounceElapsed', at: 1 });
  expect(state).toEqual(program);
  expect(effects).toEqual([
    {
      type: 'announce',
      event: { event: 'internalError', problem: 'debounceElapsed for a program that is idle' },
    },
  ]);
});

test('an input that a worker cannot get is reported as an internal error and changes nothing', () => {
  const { program } = serving();
  const { state, effects } = step(program, { type: 'killTimedOut', at: 200, worker: 1 });
  expect(state).toEqual(program);
  expect(effects).toEqual([
    {
      type: 'announce',
      event: { event: 'internalError', problem: 'killTimedOut for a worker that is ready' },
    },
  ]);
});
