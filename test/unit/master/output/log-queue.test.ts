import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogQueue } from '../../../../src/master/output/log-queue.ts';

function text(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString('latin1');
}

test('as many whole lines are taken as fit', () => {
  const queue = createLogQueue();
  queue.add(Buffer.from('one\ntwo\n'));
  queue.add(Buffer.from('three\nfour\n'));
  expect(text(queue.take(15, 1_000))).toBe('one\ntwo\nthree\n');
  expect(queue.bytes).toBe(5);
  expect(text(queue.take(15, 1_000))).toBe('four\n');
  expect(queue.firstLineBytes()).toBe(0);
});

test('a line that is longer than the room is taken alone', () => {
  const queue = createLogQueue();
  queue.add(Buffer.from('longer\nshort\n'));
  expect(text(queue.take(3, 1_000))).toBe('longer\n');
});

test('whatever the room is, every line comes out once, whole and in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }), { maxLength: 12 }),
      fc.array(fc.nat(40), { minLength: 1 }),
      (writes, rooms) => {
        const queue = createLogQueue();
        const blocks = writes.map((lengths) => lengths.map((length) => `${'x'.repeat(length)}\n`).join(''));
        for (const block of blocks) queue.add(Buffer.from(block));
        const taken: string[] = [];
        for (let turn = 0; queue.firstLineBytes() > 0; turn += 1) {
          const first = queue.firstLineBytes();
          const room = rooms[turn % rooms.length] ?? 0;
          const batch = text(queue.take(room, 25));
          expect(batch.endsWith('\n')).toBe(true);
          expect(batch.length).toBeLessThanOrEqual(Math.max(first, Math.min(room, 25)));
          taken.push(batch);
        }
        expect(taken.join('')).toBe(blocks.join(''));
        expect(queue.bytes).toBe(0);
      },
    ),
  );
});
