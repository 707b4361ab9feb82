import { expect, test } from 'vitest';
import { createOverflow } from '../../../../src/master/output/overflow.ts';

function setUp(): {
  readonly stream: { writableLength: number; whenEmpty: (callback: () => void) => void };
  readonly told: number[];
  readonly admits: (amount: number) => boolean;
  readonly empty: () => void;
} {
  const told: number[] = [];
  let callbacks: (() => void)[] = [];
  const stream = {
    writableLength: 0,
    whenEmpty: (callback: () => void) => {
      callbacks.push(callback);
    },
  };
  const overflow = createOverflow(stream, 100, (amount) => {
    told.push(amount);
  });
  const empty = (): void => {
    stream.writableLength = 0;
    const due = callbacks;
    callbacks = [];
    for (const callback of due) callback();
  };
  return { stream, told, admits: (amount) => overflow.admits(amount), empty };
}

test('output is admitted as long as no more than the limit waits', () => {
  const { stream, told, admits } = setUp();
  expect(admits(5)).toBe(true);
  stream.writableLength = 100;
  expect(admits(5)).toBe(true);
  expect(told).toEqual([]);
});

test('what is dropped is counted, and told once when the reader has caught up', () => {
  const { stream, told, admits, empty } = setUp();
  stream.writableLength = 101;
  expect([admits(5), admits(7)]).toEqual([false, false]);
  empty();
  expect(told).toEqual([12]);
  expect(admits(1)).toBe(true);
  expect(told).toEqual([12]);
});

test('what is dropped is told before the next output that is admitted', () => {
  const { stream, told, admits } = setUp();
  stream.writableLength = 101;
  admits(5);
  stream.writableLength = 50;
  expect(admits(1)).toBe(true);
  expect(told).toEqual([5]);
});
