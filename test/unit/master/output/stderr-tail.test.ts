import { expect, test } from 'vitest';
import { createStderrTail } from '../../../../src/master/output/stderr-tail.ts';

const lines = (count: number, text = 'line'): string =>
  Array.from({ length: count }, (_, index) => `${text} ${index}\n`).join('');

test('remembers the last 20 lines, however they were cut into pieces', () => {
  const tail = createStderrTail();
  for (const piece of lines(30).match(/.{1,7}|\n/gs) ?? []) tail.add(Buffer.from(piece));
  expect(tail.lines()).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 10}`));
});

test('a character that is cut in two is put together', () => {
  const tail = createStderrTail();
  for (const byte of Buffer.from('größer\n')) tail.add(Buffer.of(byte));
  expect(tail.lines()).toEqual(['größer']);
});

test('counts a line that has not ended', () => {
  const tail = createStderrTail();
  tail.add(Buffer.from('one\ntwo'));
  expect(tail.lines()).toEqual(['one', 'two']);
});

test('does not grow with a line that never ends', () => {
  const tail = createStderrTail();
  for (let piece = 0; piece < 1_000; piece++) tail.add(Buffer.from('x'.repeat(1_000)));
  expect(tail.lines().join('').length).toBeLessThanOrEqual(2_000);
});

test('the line that names the error is kept when its trace is longer than what is remembered', () => {
  const tail = createStderrTail();
  tail.add(Buffer.from(`Error: listen EADDRINUSE: address already in use :::9001\n${lines(30, '    at')}`));
  expect(tail.lines()).toHaveLength(20);
  expect(tail.lines()[0]).toContain(':::9001');
  tail.add(Buffer.from(lines(30)));
  expect(tail.lines()[0]).toBe('line 10');
});
