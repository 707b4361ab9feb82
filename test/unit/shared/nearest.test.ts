import { expect, test } from 'vitest';
import { nearest } from '../../../src/shared/nearest.ts';

const commands = ['status', 'reload', 'scale', 'stop', 'events'];

test.each([
  ['relaod', 'reload'],
  ['statsu', 'status'],
  ['stpo', 'stop'],
  ['event', 'events'],
  ['RELOAD', 'reload'],
  ['reloda', 'reload'],
  ['restart', null],
  ['x', null],
  ['', null],
])('of the commands, %j is nearest to %j', (typed, word) => {
  expect(nearest(typed, commands)).toBe(word);
});
