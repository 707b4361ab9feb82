/**
 * Reloads with thousands of idle keep-alive connections: how long it takes until all of them have moved to the new worker, and how long
 * requests on them take meanwhile, compared with the same time without a reload.
 */
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { openConnection, type StrictConnection } from '../../test/helpers/strict-connection.ts';
import type { OwnEffort } from '../effort.ts';
import { startManaged, type RunningMaster } from './processes.ts';
import type { CrowdResult } from './results.ts';

const request = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n';
const timeoutMs = 10_000;
/** The time from one request to the next, which comes on another connection. */
const askEveryMs = 5;
/** The number of connections opened at once: fewer than the backlog. */
const batch = 250;
/** The pause after a reload, so that its work does not overlap with the next one. */
const restMs = 1_000;

export async function measureCrowd({ crowd, crowdReloads }: OwnEffort): Promise<CrowdResult> {
  const master = await startManaged('patient.cjs');
  const members: StrictConnection[] = [];
  const movedMs: number[] = [];
  const without: number[] = [];
  const during: number[] = [];
  let moved = 0;
  try {
    while (members.length < crowd) {
      const opened = await Promise.all(Array.from({ length: batch }, () => enter(master.port)));
      members.push(...opened);
    }
    for (let generation = 2; generation < crowdReloads + 2; generation += 1) {
      await pause(restMs);
      const reload = await askDuring(members, () => reloadOnce(master, generation));
      movedMs.push(reload.result.movedMs);
      moved += reload.result.migrated;
      during.push(reload.longestMs);
      await pause(restMs);
      const quiet = await askDuring(members, () => pause(reload.durationMs));
      without.push(quiet.longestMs);
    }
    const closed = members.filter((member) => member.ending() !== null).length;
    return { connections: members.length, moved, closed, movedMs, longestMs: { without, during } };
  } finally {
    for (const member of members) member.close();
    await master.stop();
  }
}

/** Opens a connection and completes one request on it. */
async function enter(port: number): Promise<StrictConnection> {
  const connection = await openConnection(() => net.connect(port, '127.0.0.1'), 'connect', timeoutMs);
  if ('detail' in connection) throw new Error(`the crowd cannot come in: ${connection.detail}`);
  await waitOf(connection);
  return connection;
}

async function waitOf(connection: StrictConnection): Promise<number> {
  const sinceMs = performance.now();
  const answer = await connection.ask(request, timeoutMs);
  if (answer.kind !== 'answered') throw new Error(`one of the crowd was not answered: ${answer.detail}`);
  return performance.now() - sinceMs;
}

async function reloadOnce(
  { pid, log }: RunningMaster,
  generation: number,
): Promise<{ readonly movedMs: number; readonly migrated: number }> {
  process.kill(pid, 'SIGHUP');
  await log.waitFor('generationSettled', { generation });
  const settledAt = performance.now();
  const { migrated } = await log.waitFor('workerExited', { generation: generation - 1 });
  return { movedMs: performance.now() - settledAt, migrated: migrated ?? 0 };
}

/** While the work lasts, sends requests on one connection after another, whether or not earlier ones have their responses. */
async function askDuring<Result>(
  members: readonly StrictConnection[],
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly durationMs: number; readonly longestMs: number }> {
  const startedAt = performance.now();
  const working = work();
  const over = working.then(() => true);
  const waits: Promise<number>[] = [];
  // A step that spreads the requests over all connections, without using one twice.
  const stride = 7_919;
  for (let count = 0; count < members.length; count += 1) {
    const member = members[(count * stride) % members.length];
    if (member !== undefined) waits.push(waitOf(member));
    if (await Promise.race([over, pause(askEveryMs, false)])) break;
  }
  const result = await working;
  return {
    result,
    durationMs: performance.now() - startedAt,
    longestMs: Math.max(...(await Promise.all(waits))),
  };
}
