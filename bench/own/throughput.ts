/** Requests per second of one process, bare and under graceful-run, measured alternately. */
import { runWrk } from '../load-tools.ts';
import { freePort } from '../../test/helpers/plain-client.ts';
import { firstAnswer } from '../answers.ts';
import { appPath } from '../processes.ts';
import type { OwnEffort } from '../effort.ts';
import { startBare, startManaged, type Running } from './processes.ts';
import { isMeasured, type Comparison, type NotMeasured, type ThroughputResult } from './results.ts';

const app = 'plain.cjs';

export async function measureThroughput(effort: OwnEffort): Promise<readonly ThroughputResult[]> {
  return [
    { name: 'keep-alive', rates: await compare(effort, []) },
    { name: '`Connection: close`', rates: await compare(effort, ['Connection: close']) },
  ];
}

/** Compares the two. In each round both run at the same time, each in a new process, and are measured alternately, so that a slowdown affects both. */
async function compare(
  { throughputRounds, throughputMs, throughputTurns }: OwnEffort,
  headers: readonly string[],
): Promise<Comparison | NotMeasured> {
  const rates = { bare: [] as number[], managed: [] as number[] };
  for (let round = 0; round < throughputRounds; round += 1) {
    const bare = await startBareServing();
    const managed = await startManaged(app);
    try {
      const asked = { bare, managed };
      // This is the warm-up: both compile the same code first.
      for (const { port } of [bare, managed]) await runWrk(port, warmMs, headers);
      const requests = { bare: 0, managed: 0 };
      for (let turn = 0; turn < throughputTurns; turn += 1) {
        // The order changes, so that effects of the first one do not always meet the same second one.
        const sides =
          (round + turn) % 2 === 0 ? (['bare', 'managed'] as const) : (['managed', 'bare'] as const);
        for (const side of sides) {
          const counts = await runWrk(asked[side].port, throughputMs / throughputTurns, headers);
          if (!isMeasured(counts)) return counts;
          requests[side] += (counts.requests / counts.durationMs) * 1_000;
        }
      }
      rates.bare.push(requests.bare / throughputTurns);
      rates.managed.push(requests.managed / throughputTurns);
    } finally {
      await bare.stop();
      await managed.stop();
    }
  }
  return rates;
}

const warmMs = 1_000;

async function startBareServing(): Promise<Running> {
  const running = startBare([appPath(app)], await freePort());
  await firstAnswer(running.port, () => true);
  return running;
}
