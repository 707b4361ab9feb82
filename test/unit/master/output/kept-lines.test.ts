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
