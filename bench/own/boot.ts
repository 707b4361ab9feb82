/**
 * From SIGHUP to the first answer of the new generation, against from the spawn to the first answer of the bare
 * application. Both clocks start right before the system call, both ends are seen by the same poll on fresh connections;
 * the turns alternate, and the old worker has drained before the next one begins.
 *
 * Who polls through a reload makes the old generation work on the processors that the new one boots on, which no bare
 * boot has to bear. So a reload is measured twice: polled all the time, and polled from the moment on from which an
 * answer of the new generation is possible.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../test/helpers/plain-client.ts';
import { firstAnswer } from '../answers.ts';
import { appPath } from '../processes.ts';
import type { OwnEffort } from '../effort.ts';
import { startBare, startManaged, type RunningMaster } from './processes.ts';
import type { BootResult } from './results.ts';

export async function measureBoot(effort: OwnEffort): Promise<readonly BootResult[]> {
  return [await compare('plain.cjs', effort), await compare('express.mjs', effort)];
}

/** After each turn, so that what it set going does not run into the next. */
const restMs = 100;

async function compare(app: string, { boots }: OwnEffort): Promise<BootResult> {
  const master = await startManaged(app);
  const bare: number[] = [];
  const managed: number[] = [];
  const quietReloads: number[] = [];
  try {
    const port = await freePort();
    await bootBare(app, port);
    await reload(master, 2, nothing);
    // The first turn of each, above, warms the file cache.
    for (let turn = 0; turn < boots; turn += 1) {
      const generation = 3 + 2 * turn;
      await pause(restMs);
      bare.push(await bootBare(app, port));
      await pause(restMs);
      managed.push(await reload(master, generation, nothing));
      await pause(restMs);
      quietReloads.push(await reload(master, generation + 1, saidToServe));
    }
  } finally {
    await master.stop();
  }
  return { app, times: { bare, managed }, quietReloads };
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

/** What the poll waits for before it begins. */
type Beginning = (master: RunningMaster, generation: number) => Promise<unknown>;

const nothing: Beginning = () => Promise.resolve();
const saidToServe: Beginning = ({ log }, generation) => log.waitFor('generationReady', { generation });

async function reload(master: RunningMaster, generation: number, beginning: Beginning): Promise<number> {
  const { pid, port, log } = master;
  const before = await firstAnswer(port, () => true);
  const startedAt = performance.now();
  process.kill(pid, 'SIGHUP');
  await beginning(master, generation);
  await firstAnswer(port, (body) => body !== before);
  const durationMs = performance.now() - startedAt;
  await log.waitFor('workerExited', { generation: generation - 1 });
  return durationMs;
}
