import { expect, test } from 'vitest';
import { type ExitCode, worstOf } from '../../../src/ctl/ctl-exit-codes.ts';

test.each<readonly [readonly ExitCode[], ExitCode]>([
  [[], 0],
  [[0, 0], 0],
  [[0, 4, 0], 4],
  [[4, 3], 3],
  [[3, 2, 4], 2],
  [[4, 3, 1, 0], 1],
])('of %j the exit code is %d', (codes, worst) => {
  expect(worstOf(codes)).toBe(worst);
});
