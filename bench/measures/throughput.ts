/** Requests per second with all workers, over keep-alive connections and over new ones. */
import type { PeerEffort } from '../effort.ts';
import { runWrk } from '../load-tools.ts';
import { isMeasured } from '../own/results.ts';
import type { Tool } from '../peers/tool.ts';
import { startInRounds, type Outcome } from '../peers/rounds.ts';

export interface ThroughputTurn {
  readonly keepAlive: number;
  readonly newConnections: number;
}

/** The duration of the warm-up. */
const warmUpMs = 1_000;

export function measureThroughput(
  tools: readonly Tool[],
  { turns, workers, throughputMs }: PeerEffort,
): Promise<readonly Outcome<ThroughputTurn>[]> {
  const rate = async (port: number, headers: readonly string[]): Promise<number> => {
    await runWrk(port, warmUpMs, headers);
    const counts = await runWrk(port, throughputMs, headers);
    if (!isMeasured(counts)) throw new Error(counts.missing);
    return (counts.requests / counts.durationMs) * 1_000;
  };
  return startInRounds({
    name: 'throughput',
    tools,
    turns,
    workers,
    measure: async ({ port }) => ({
      keepAlive: await rate(port, []),
      newConnections: await rate(port, ['Connection: close']),
    }),
  });
}
