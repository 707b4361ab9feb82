/**
 * The time from SIGHUP to the first response of the new generation, compared with the time from the spawn of the bare application to its
 * first response. Both clocks start right before the system call, and the same poll on new connections detects both ends. The two
 * alternate, and the old worker has drained before the next measurement begins.
 *
 * Polling during a reload keeps the old generation busy on the processors on which the new one boots; a bare boot has no such load. So a
 * reload is measured twice: polled all the time, and polled only once the new generation can respond. And so is a bare boot: alone, and beside
 * another bare process that is polled all the time.
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

/** The pause after each measurement, so that its work does not overlap with the next one. */
const restMs = 100;

async function compare(app: string, { boots }: OwnEffort): Promise<BootResult> {
  const master = await startManaged(app);
  const neighbor = startBare([appPath(app)], await freePort());
  const bare: number[] = [];
  const besideBusy: number[] = [];
  const managed: number[] = [];
  const quietReloads: number[] = [];
  try {
    const port = await freePort();
    await bootBare(app, port);
    await firstAnswer(neighbor.port, () => true);
    await reload(master, 2, nothing);
    // The first measurement of each, above, warms the file cache.
    for (let turn = 0; turn < boots; turn += 1) {
      const generation = 3 + 2 * turn;
      await pause(restMs);
      bare.push(await bootBare(app, port));
      await pause(restMs);
      besideBusy.push(await bootBeside(app, port, neighbor.port));
      await pause(restMs);
      managed.push(await reload(master, generation, nothing));
      await pause(restMs);
      quietReloads.push(await reload(master, generation + 1, saidToServe));
    }
  } finally {
    await neighbor.stop();
    await master.stop();
  }
  return { app, times: { bare, managed }, besideBusy, quietReloads };
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

/** A bare boot while another process answers polls. */
async function bootBeside(app: string, port: number, busyPort: number): Promise<number> {
  let hasBooted = false;
  const polling = firstAnswer(busyPort, () => hasBooted);
  try {
    return await bootBare(app, port);
  } finally {
    hasBooted = true;
    await polling;
  }
}

/** A function that resolves when polling may begin. */
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
