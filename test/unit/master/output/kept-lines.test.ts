import { expect, test } from 'vitest';
import { createKeptLines, type KeptBlock } from '../../../../src/master/output/kept-lines.ts';

function block(text: string): KeptBlock {
  return {
    bytes: Buffer.from(text),
    stream: 'stderr',
    generation: 1,
    slot: 0,
    worker: 42,
    time: 0,
    path: null,
  };
}

function text(blocks: readonly KeptBlock[]): string {
  return Buffer.concat(blocks.map(({ bytes }) => bytes)).toString();
}

test('the latest 128 KiB are kept, of a block that is longer its last whole lines', () => {
  const kept = createKeptLines();
  for (let at = 0; at < 10_000; at += 1) kept.add(block(`line ${at} ${'x'.repeat(50)}\n`));
  expect(text(kept.blocks()).length).toBeLessThanOrEqual(128 * 1024);
  expect(text(kept.blocks())).toContain('line 9999 ');
  const lines = Array.from({ length: 10_000 }, (_, at) => `number ${at} ${'x'.repeat(50)}\n`);
  kept.add(block(lines.join('')));
  const rest = text(kept.blocks());
  expect(rest.length).toBeLessThanOrEqual(128 * 1024);
  expect(lines.join('').endsWith(rest)).toBe(true);
  expect(rest.startsWith('number ')).toBe(true);
});

test('very short lines are kept up to 2,048 blocks', () => {
  const kept = createKeptLines();
  for (let at = 0; at < 9_000; at += 1) kept.add(block('x\n'));
  expect(kept.blocks()).toHaveLength(2_048);
});

test('of a line that is longer than what is kept, the end is kept', () => {
  const kept = createKeptLines();
  for (const line of [`${'x'.repeat(200_000)} end\n`, `${'x'.repeat(200_000)} end`]) {
    kept.add(block(line));
    const rest = text(kept.blocks());
    expect(rest).toHaveLength(128 * 1024);
    expect(line.endsWith(rest)).toBe(true);
  }
});

test('the end of a line whose beginning was kept before is no line', () => {
  const kept = createKeptLines();
  const followed: KeptBlock[] = [];
  kept.follow(
    (one) => followed.push(one),
    () => undefined,
  );
  kept.add(block('one'));
  kept.add(block('\n'), true);
  kept.add(block('two'));
  kept.add(block('\nthree\n'), true);
  for (const blocks of [kept.blocks(), followed])
    expect(blocks.map((one) => text([one]))).toEqual(['one', 'two', 'three\n']);
});

test('a follower of a program that is removed learns that, even if it comes later', () => {
  const kept = createKeptLines();
  let ends = 0;
  const ended = (): void => {
    ends += 1;
  };
  kept.follow(() => undefined, ended);
  kept.follow(() => undefined, ended)();
  kept.end();
  expect(ends).toBe(1);
  kept.follow(() => undefined, ended);
  expect(ends).toBe(2);
});
