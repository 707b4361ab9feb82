/** Failed requests of several clients while the program reloads once a second. */
import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from '../../test/helpers/strict-client.ts';
import { failureCounts, failuresOf } from '../../test/helpers/tally.ts';
import { runHey, runWrk, type ToolCounts } from '../load-tools.ts';
import type { OwnEffort } from '../effort.ts';
import { startManaged, type RunningMaster } from './processes.ts';
import { isMeasured, type FailuresResult, type NotMeasured } from './results.ts';

type Client = (port: number, durationMs: number) => Promise<ToolCounts | NotMeasured>;

const reloadEveryMs = 1_000;

export async function measureFailures({ reloads }: OwnEffort): Promise<readonly FailuresResult[]> {
  return [
    await measureOne('`wrk -t1 -c32`, keep-alive', runWrk, reloads),
    await measureOne('`hey -c 32 -disable-keepalive`', runHey, reloads),
    await measureOne(
      'strict client, 32 keep-alive, as fast as possible',
      strict('keepAlive', 32, 0),
      reloads,
    ),
    await measureOne('strict client, 32 keep-alive, paced 20 ms', strict('keepAlive', 32, 20), reloads),
    await measureOne('strict client, 32 fresh connections, paced 5 ms', strict('fresh', 32, 5), reloads),
    await measureOne(
      'strict client, 32 keep-alive, POST of 64 kB, paced 20 ms',
      strict('keepAlive', 32, 20, 'x'.repeat(65_536)),
      reloads,
    ),
  ];
}

async function measureOne(client: string, run: Client, reloads: number): Promise<FailuresResult> {
  const master = await startManaged('plain.cjs');
  try {
    const counting = run(master.port, (reloads + 2) * reloadEveryMs);
    await reloadRepeatedly(master, reloads);
    const counts = await counting;
    if (!isMeasured(counts)) return { client, counts };
    const failed = Object.values(counts.kinds).reduce((sum, count) => sum + count, 0);
    return { client, counts: { reloads, requests: counts.requests, failed, kinds: counts.kinds } };
  } finally {
    await master.stop();
  }
}

async function reloadRepeatedly({ pid, log }: RunningMaster, reloads: number): Promise<void> {
  for (let done = 0; done < reloads; done += 1) {
    await pause(reloadEveryMs);
    process.kill(pid, 'SIGHUP');
    await log.waitFor('generationReady', { generation: done + 2 });
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
    const tally = await load.ended;
    return { requests: tally.answered + failuresOf(tally), durationMs, kinds: failureCounts(tally) };
  };
}
