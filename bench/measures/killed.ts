/** One worker is killed with SIGKILL under load: which requests fail, and how long it takes until a new worker serves. */
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../test/helpers/eventually.ts';
import { startLoad } from '../../test/helpers/strict-client.ts';
import { failureCounts, failuresOf } from '../../test/helpers/tally.ts';
import type { PeerEffort } from '../effort.ts';
import type { RunningTool, Tool } from '../peers/tool.ts';
import { startInRounds, type Outcome } from '../peers/rounds.ts';
import type { Count } from './failed.ts';

export interface KilledTurn extends Count {
  /** Milliseconds until a new worker has responded; null if none did in time. */
  readonly replacedMs: number | null;
}

const clients = 64;
const patienceMs = 5_000;

export function measureKilled(
  tools: readonly Tool[],
  { turns, workers }: PeerEffort,
): Promise<readonly Outcome<KilledTurn>[]> {
  return startInRounds({ name: 'a worker is killed', tools, turns, workers, measure: measureOne });
}

async function measureOne(running: RunningTool): Promise<KilledTurn> {
  const before = running.workerPids();
  const seen = new Set<number>();
  const options = { port: running.port, clients: clients / 2, paceMs: 10, maxFailures: Infinity } as const;
  const answered = ({ body }: { readonly body: string }): void => {
    seen.add(Number(body));
  };
  const loads = [
    startLoad({ ...options, mode: 'keepAlive', answered }),
    startLoad({ ...options, mode: 'fresh', answered }),
  ];
  await Promise.all(loads.map((load) => load.moreAnswers(10 * clients)));
  const [victim] = before;
  if (victim === undefined) throw new Error('there is no worker');
  const killedAt = performance.now();
  process.kill(victim, 'SIGKILL');
  const hasNew = (): boolean => [...seen].some((pid) => !before.includes(pid));
  const replacedMs = await eventually('a new worker answers', hasNew, patienceMs).then(
    () => performance.now() - killedAt,
    () => null,
  );
  await pause(500);
  const tallies = await Promise.all(loads.map((load) => load.stop()));
  const kinds: Record<string, number> = {};
  for (const tally of tallies) {
    for (const [kind, count] of Object.entries(failureCounts(tally)))
      kinds[kind] = (kinds[kind] ?? 0) + count;
  }
  const failed = tallies.reduce((sum, tally) => sum + failuresOf(tally), 0);
  return {
    requests: failed + tallies.reduce((sum, tally) => sum + tally.answered, 0),
    failed,
    kinds,
    replacedMs,
  };
}
