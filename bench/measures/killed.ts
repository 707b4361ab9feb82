/** One worker is killed with SIGKILL under load: which requests fail, and how long it takes until a new worker serves. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Count } from '../count.ts';
import type { PeerEffort } from '../effort.ts';
import type { RunningTool, Tool } from '../peers/tool.ts';
import { startInRounds, type Outcome } from '../peers/rounds.ts';
import { startMixedLoad } from './mixed-load.ts';

export interface KilledTurn extends Count {
  /** Milliseconds until a new worker has responded; null if none did in time. */
  readonly replacedMs: number | null;
}

export function measureKilled(
  tools: readonly Tool[],
  { turns, workers }: PeerEffort,
): Promise<readonly Outcome<KilledTurn>[]> {
  return startInRounds({ name: 'a worker is killed', tools, turns, workers, measure: measureOne });
}

async function measureOne(running: RunningTool): Promise<KilledTurn> {
  const before = running.workerPids();
  const load = startMixedLoad(running.port);
  await load.moreAnswers(20);
  const [victim] = before;
  if (victim === undefined) throw new Error('there is no worker');
  const killedAt = performance.now();
  process.kill(victim, 'SIGKILL');
  const replacedMs = await load.replaced(before, killedAt);
  await pause(500);
  const { requests, failed, kinds } = await load.stop();
  return { requests, failed, kinds, replacedMs };
}
