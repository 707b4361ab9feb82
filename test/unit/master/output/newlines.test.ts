import { expect, test } from 'vitest';
import { countLines } from '../../../../src/master/output/newlines.ts';

test('lines are counted by their ends', () => {
  expect(countLines([Buffer.from('one\ntwo\nthr'), Buffer.from('ee\n')])).toBe(3);
});
