/** Failed requests and closed connections while a server in another language reloads: by itself, and under graceful-run. No client retries a request. */
import { setTimeout as pause } from 'node:timers/promises';
import { failureCounts, failuresOf } from '../../test/helpers/tally.ts';
import type { ForeignEffort } from '../effort.ts';
import type { Count } from '../measures/failed.ts';
import { programs, startItself, startUnder, type RunningProgram } from './programs.ts';

export interface ForeignResult {
  readonly program: string;
  readonly version: string;
  /** How it reloads itself. */
  readonly ownWay: string;
  readonly own: ForeignFigures;
  readonly under: ForeignFigures;
}

export interface ForeignFigures {
  readonly reloads: number;
  readonly newConnections: Count;
  readonly keepAlive: Count;
  /** Connections of the keep-alive clients that the server closed without having announced it, idle or not, per reload. */
  readonly closedPerReload: number;
}

export const freshClients = { mode: 'fresh', clients: 16, paceMs: 10 } as const;
export const keptClients = { mode: 'keepAlive', clients: 16, paceMs: 20 } as const;

export async function measureForeign(effort: ForeignEffort): Promise<readonly ForeignResult[]> {
  const results: ForeignResult[] = [];
  for (const program of programs) {
    const version = program.version();
    if (version === null) continue;
    const { name, ownWay } = program;
    console.error(`foreign: ${name}`);
    const own = await measureOne(await startItself(program), effort);
    const under = await measureOne(await startUnder(program), effort);
    results.push({ program: name, version, ownWay, own, under });
  }
  return results;
}

async function measureOne(
  running: RunningProgram,
  { reloads, everyMs }: ForeignEffort,
): Promise<ForeignFigures> {
  try {
    const [fresh, kept] = [running.load(freshClients), running.load(keptClients)];
    for (let done = 0; done < reloads; done += 1) {
      // At any moment of the clients' pauses.
      await pause(everyMs * (0.9 + 0.2 * Math.random()));
      await running.reload();
    }
    // Some failures show late.
    await pause(everyMs);
    const [newConnections, keepAlive] = await Promise.all([fresh.stop(), kept.stop()]);
    return {
      reloads,
      newConnections: countOf(newConnections),
      keepAlive: countOf(keepAlive),
      closedPerReload: (keepAlive.closedIdle + failuresOf(keepAlive)) / reloads,
    };
  } finally {
    await running.stop();
  }
}

function countOf(tally: Parameters<typeof failureCounts>[0]): Count {
  const failed = failuresOf(tally);
  return { requests: tally.answered + failed, failed, kinds: failureCounts(tally) };
}
