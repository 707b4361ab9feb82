import { expect, test } from 'vitest';
import { createPace } from '../../../../src/worker/migration/migrate-http.ts';

test('few at first, all at the end', () => {
  const pace = createPace(100, 1_000, 250);
  expect([1_000, 1_050, 1_125, 1_200, 1_249].map((now) => pace.allowed(now))).toEqual([1, 4, 25, 64, 99]);
  expect(pace.allowed(1_250)).toBe(Infinity);
});

test('a single connection moves at once', () => {
  expect(createPace(1, 0, 250).allowed(0)).toBe(1);
});
