// Idle means idle.
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runMaster } from '../helpers/run-master.ts';

/** How often the main thread has gone to sleep, and so was woken. */
function sleeps(pid: number): number {
  const [, count] =
    /\nvoluntary_ctxt_switches:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/task/${pid}/status`, 'utf8')) ?? [];
  return Number(count);
}

// A start leaves things behind: V8 collects its garbage until it is 10 s old. So the second or the third window counts.
test('a master to which nothing happens wakes at most twice in ten seconds, also while it watches', async () => {
  const masters = [runMaster(), runMaster({ flags: ['--watch'] })];
  for (const master of masters) await master.serving();
  await pause(10_000);
  const counts: number[][] = [];
  for (let window = 0; window < 2; window++) {
    const before = masters.map(({ pid }) => sleeps(pid));
    await pause(10_000);
    counts.push(masters.map(({ pid }, index) => sleeps(pid) - (before[index] ?? 0)));
    if (counts.at(-1)?.every((count) => count <= 2) === true) break;
  }
  expect(Math.max(...(counts.at(-1) ?? []))).toBeLessThanOrEqual(2);
}, 60_000);
