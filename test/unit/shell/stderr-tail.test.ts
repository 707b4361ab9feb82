import { expect, test } from 'vitest';
import { createStderrTail } from '../../../src/master/shell/stderr-tail.ts';

test('remembers the last 20 lines, however they were cut into pieces', () => {
  const tail = createStderrTail();
  const text = Array.from({ length: 30 }, (_, index) => `line ${index}\n`).join('');
  for (const piece of text.match(/.{1,7}|\n/gs) ?? []) tail.add(piece);
  expect(tail.lines()).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 10}`));
});

test('counts a line that has not ended', () => {
  const tail = createStderrTail();
  tail.add('one\ntwo');
  expect(tail.lines()).toEqual(['one', 'two']);
});

test('does not grow with a line that never ends', () => {
  const tail = createStderrTail();
  for (let piece = 0; piece < 1_000; piece++) tail.add('x'.repeat(1_000));
  expect(tail.lines().join('').length).toBeLessThanOrEqual(2_000);
});
