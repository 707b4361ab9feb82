/** The latency at a fixed rate of requests, well below what the tools can handle, without and with reloads. */
import { setTimeout as pause } from 'node:timers/promises';
import { startClient } from '../clients/client-process.ts';
import type { PacedOrder, PacedReport } from '../clients/paced-order.ts';
import type { PeerEffort } from '../effort.ts';
import type { RunningTool, Tool } from '../peers/tool.ts';
import { startInRounds, type Outcome } from '../peers/rounds.ts';
import { quantile } from '../statistics.ts';

/** Latencies in milliseconds. */
export interface Latencies {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly requests: number;
  readonly failed: number;
}

export interface LatencyTurn {
  readonly quiet: Latencies;
  /** The latencies with reloads; null if the tool cannot reload. */
  readonly reloading: Latencies | null;
}

/** The number of clients. Together, the 60 clients send 800 requests a second. */
const clients = 60;
const everyMs = 75;
const reloadEveryMs = 1_500;
const warmUpMs = 1_000;

export function measureLatency(
  tools: readonly Tool[],
  { latencyTurns, workers, latencyMs }: PeerEffort,
): Promise<readonly Outcome<LatencyTurn>[]> {
  const measure = async (running: RunningTool, tool: Tool): Promise<LatencyTurn> => {
    const order = { port: running.port, clients, everyMs };
    await ask({ ...order, durationMs: warmUpMs }, null);
    const quiet = await ask({ ...order, durationMs: latencyMs }, null);
    const reloading = tool.isReloadable ? await ask({ ...order, durationMs: latencyMs }, running) : null;
    return { quiet, reloading };
  };
  return startInRounds({ name: 'latency', tools, turns: latencyTurns, workers, measure });
}

async function ask(order: PacedOrder, reloading: RunningTool | null): Promise<Latencies> {
  const client = await startClient('paced.ts');
  try {
    const reported = client.next();
    client.tell(order);
    if (reloading !== null) await reloadUntil(reported, reloading);
    return describe((await reported) as PacedReport);
  } finally {
    client.end();
  }
}

/** Reloads repeatedly until the client has reported. */
async function reloadUntil(reported: Promise<unknown>, running: RunningTool): Promise<void> {
  const over = reported.then(() => true);
  for (;;) {
    const isOver = await Promise.race([over, pause(reloadEveryMs, false)]);
    if (isOver) return;
    await running.reload();
  }
}

function describe({ latencies, failed }: PacedReport): Latencies {
  const sorted = latencies.toSorted((one, other) => one - other);
  return {
    p50: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    p999: quantile(sorted, 0.999),
    max: quantile(sorted, 1),
    requests: sorted.length + failed,
    failed,
  };
}
