/** Failed requests of several clients while once a second the program reloads, or the master upgrades itself. */
import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from '../../test/helpers/strict-client.ts';
import { runHey, runWrk, type ToolCounts } from '../load-tools.ts';
import { type Count, countOf, countOfKinds } from '../count.ts';
import type { OwnEffort } from '../effort.ts';
import { startManaged, type RunningMaster } from './processes.ts';
import { isMeasured, type FailuresResult, type NotMeasured, type UpgradesResult } from './results.ts';

type Client = (port: number, durationMs: number) => Promise<ToolCounts | NotMeasured>;

const everyMs = 1_000;

const clients: Readonly<Record<string, Client>> = {
  '`wrk -t1 -c32`, keep-alive': runWrk,
  '`hey -c 32 -disable-keepalive`': runHey,
  'strict client, 32 keep-alive, as fast as possible': strict('keepAlive', 32, 0),
  'strict client, 32 keep-alive, paced 20 ms': strict('keepAlive', 32, 20),
  'strict client, 32 fresh connections, paced 5 ms': strict('fresh', 32, 5),
  'strict client, 32 keep-alive, POST of 64 kB, paced 20 ms': strict('keepAlive', 32, 20, 'x'.repeat(65_536)),
};

export async function measureFailures({ reloads }: OwnEffort): Promise<readonly FailuresResult[]> {
  const results: FailuresResult[] = [];
  for (const [client, run] of Object.entries(clients)) {
    const counts = await measureOne(run, reloads, async ({ pid, log }, done) => {
      process.kill(pid, 'SIGHUP');
      await log.waitFor('generationReady', { generation: done + 2 });
    });
    results.push({ client, counts: isMeasured(counts) ? { reloads, ...counts } : counts });
  }
  return results;
}

export async function measureUpgrades({ reloads: upgrades }: OwnEffort): Promise<readonly UpgradesResult[]> {
  const results: UpgradesResult[] = [];
  for (const [client, run] of Object.entries(clients)) {
    const awayMs: number[] = [];
    const counts = await measureOne(run, upgrades, async ({ pid, log }, done) => {
      process.kill(pid, 'SIGUSR2');
      await log.waitFor('masterUpgraded', () => log.all('masterUpgraded').length > done);
      awayMs.push(
        ...log
          .all('masterUpgraded')
          .slice(done)
          .map(({ durationMs }) => durationMs),
      );
    });
    results.push({ client, counts: isMeasured(counts) ? { upgrades, ...counts, awayMs } : counts });
  }
  return results;
}

/** Counts while `change` is called this many times, each time with how often it was called before. */
async function measureOne(
  run: Client,
  times: number,
  change: (master: RunningMaster, done: number) => Promise<void>,
): Promise<Count | NotMeasured> {
  const master = await startManaged('plain.cjs');
  try {
    const counting = run(master.port, (times + 2) * everyMs);
    for (let done = 0; done < times; done += 1) {
      await pause(everyMs);
      await change(master, done);
    }
    const counts = await counting;
    return isMeasured(counts) ? countOfKinds(counts) : counts;
  } finally {
    await master.stop();
  }
}

function strict(mode: 'keepAlive' | 'fresh', clients: number, paceMs: number, body?: string): Client {
  return async (port, durationMs) => {
    const load = startLoad({
      port,
      mode,
      clients,
      paceMs,
      maxMs: durationMs,
      ...(body === undefined ? {} : { body }),
    });
    const { requests, kinds } = countOf(await load.ended);
    return { requests, durationMs, kinds };
  };
}
