import { expect, test } from 'vitest';
import { hooksOf, noMemory } from '../../../../src/master/hooks/hooks-of-event.ts';
import type { DrainReason } from '../../../../src/shared/protocol.ts';
import { exampleEvents } from '../../../helpers/example-events.ts';

function hooksIn(...names: readonly string[]): readonly string[] {
  let memory = noMemory;
  return names.flatMap((name) => {
    const event = exampleEvents.find((one) => one.event === name);
    if (event === undefined) throw new Error(`there is no ${name}`);
    const found = hooksOf(memory, event);
    ({ memory } = found);
    return found.hooks;
  });
}

test.each([
  [['generationReady'], ['post_ready']],
  [['generationRolledBack'], ['on_rollback']],
  [['startRefused'], ['on_failure']],
  [['stopped'], ['post_stop']],
  // Once for a generation, however many workers it has.
  [['workerDraining', 'workerDraining'], ['pre_drain']],
  // The failure of a candidate's worker is the failure of its generation, told once.
  [['generationStarted', 'workerFailed', 'generationFailed'], ['on_failure']],
  [
    ['generationStarted', 'generationReady', 'workerFailed'],
    ['post_ready', 'on_failure'],
  ],
])('%j is for %j', (events, hooks) => {
  expect(hooksIn(...events)).toEqual(hooks);
});

test('a program that was given up has its own hook, and the one for every stop after it', () => {
  const failed = exampleEvents.find((one) => one.event === 'generationFailed');
  const failure = failed?.event === 'generationFailed' ? failed.failure : null;
  expect(hooksOf(noMemory, { event: 'stopped', failure, outcome: null }).hooks).toEqual([
    'on_fatal',
    'post_stop',
  ]);
});

test('a hook is no reason for a hook', () => {
  expect(hooksIn('hookEnded', 'hooksDropped')).toEqual([]);
});

test.each([
  ['replacement, stop', ['pre_drain']],
  ['signal, reload', ['pre_drain']],
  ['replacement, signal', []],
  // Once for those that were too many, and once for the others.
  ['scaleDown, scaleDown, stop, stop', ['pre_drain', 'pre_drain']],
])('workers that drain because of %s', (reasons, hooks) => {
  const event = exampleEvents.find((one) => one.event === 'workerDraining');
  if (event?.event !== 'workerDraining') throw new Error('there is no example');
  let memory = noMemory;
  const found = reasons.split(', ').flatMap((reason) => {
    const one = hooksOf(memory, { ...event, reason: reason as DrainReason });
    ({ memory } = one);
    return one.hooks;
  });
  expect(found).toEqual(hooks);
});
