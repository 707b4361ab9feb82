/**
 * From SIGHUP to the first answer of the new generation, against from the spawn to the first answer of the bare
 * application. Both clocks start right before the system call, both ends are seen by the same poll on fresh connections;
 * the turns alternate, and the old worker has drained before the next one begins.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { appPath, firstAnswer, freePort, startBare, startManaged, type RunningMaster } from './processes.ts';
import type { BootResult, Effort } from './results.ts';

export async function measureBoot(effort: Effort): Promise<readonly BootResult[]> {
  return [await compare('plain.cjs', effort), await compare('express.mjs', effort)];
}

/** After each turn, so that what it set going does not run into the next. */
const restMs = 100;

async function compare(app: string, { boots }: Effort): Promise<BootResult> {
  const master = await startManaged(app);
  const bare: number[] = [];
  const managed: number[] = [];
  try {
    const port = await freePort();
    await bootBare(app, port);
    await reload(master, 2);
    // The first turn of each, above, warms the file cache.
    for (let turn = 0; turn < boots; turn += 1) {
      await pause(restMs);
      bare.push(await bootBare(app, port));
      await pause(restMs);
      managed.push(await reload(master, turn + 3));
    }
  } finally {
    await master.stop();
  }
  return { app, times: { bare, managed } };
}

async function bootBare(app: string, port: number): Promise<number> {
  const args = [appPath(app)];
  const startedAt = performance.now();
  const running = startBare(args, port);
  try {
    await firstAnswer(port, () => true);
    return performance.now() - startedAt;
  } finally {
    await running.stop();
  }
}

async function reload({ pid, port, log }: RunningMaster, generation: number): Promise<number> {
  const before = await firstAnswer(port, () => true);
  const startedAt = performance.now();
  process.kill(pid, 'SIGHUP');
  await firstAnswer(port, (body) => body !== before);
  const durationMs = performance.now() - startedAt;
  await log.waitFor('workerExited', { generation: generation - 1 });
  return durationMs;
}
