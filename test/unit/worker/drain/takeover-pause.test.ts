import { expect, test } from 'vitest';
import { adoptionPauseMs, takeoverPauseMs } from '../../../../src/worker/drain/takeover-pause.ts';

test('old workers begin one after the other, and all of them soon; new ones adopt before that', () => {
  expect(adoptionPauseMs(30_000)).toBe(50);
  expect([0, 1, 2, 3, 4, 100].map((slot) => takeoverPauseMs(30_000, slot))).toEqual([
    75, 125, 175, 225, 225, 225,
  ]);
});

test('a short drain timeout leaves a tenth of it', () => {
  expect(adoptionPauseMs(200)).toBe(20);
  expect([0, 1].map((slot) => takeoverPauseMs(1_000, slot))).toEqual([75, 100]);
});
