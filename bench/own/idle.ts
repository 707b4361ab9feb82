/** Memory and wake-ups of an idle master, compared with a Node.js process that does nothing. */
import { setTimeout as pause } from 'node:timers/promises';
import { residentBytes, wakeUpsOf } from '../proc.ts';
import type { OwnEffort } from '../effort.ts';
import { startBare, startManaged } from './processes.ts';
import type { IdleResult } from './results.ts';

interface Sample {
  readonly memoryBytes: number;
  readonly wakeUps: number;
}

/** How long to wait until a process is idle: V8 collects garbage once more about 8 s after the last work. */
const settleMs = 15_000;

export async function measureIdle({ idleRounds, idleMs }: OwnEffort): Promise<IdleResult> {
  const bare: Sample[] = [];
  const managed: Sample[] = [];
  for (let round = 0; round < idleRounds; round += 1) {
    // Both are measured at the same time, because idle processes do not disturb each other.
    const idler = startBare(['--eval', 'setInterval(() => {}, 2 ** 31 - 1)'], 0);
    const master = await startManaged('plain.cjs');
    try {
      await pause(settleMs);
      const [idle, watched] = await Promise.all([observe(idler.pid, idleMs), observe(master.pid, idleMs)]);
      bare.push(idle);
      managed.push(watched);
    } finally {
      await Promise.all([idler.stop(), master.stop()]);
    }
  }
  const both = (of: (sample: Sample) => number): IdleResult['wakeUps'] => ({
    bare: bare.map(of),
    managed: managed.map(of),
  });
  return {
    memoryBytes: both(({ memoryBytes }) => memoryBytes),
    wakeUps: both(({ wakeUps }) => wakeUps),
    windowMs: idleMs,
  };
}

async function observe(pid: number, windowMs: number): Promise<Sample> {
  const before = wakeUpsOf(pid);
  await pause(windowMs);
  return { wakeUps: wakeUpsOf(pid) - before, memoryBytes: residentBytes(pid) };
}
