/** Requests per second of one process, bare and behind graceful-run, in turns. */
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

async function compare(
  { throughputRounds, throughputMs }: OwnEffort,
  headers: readonly string[],
): Promise<Comparison | NotMeasured> {
  const rates = { bare: [] as number[], managed: [] as number[] };
  for (let round = 0; round < throughputRounds; round += 1) {
    // Who comes first changes: whatever the first one leaves behind must not always meet the same second one.
    const sides = round % 2 === 0 ? (['bare', 'managed'] as const) : (['managed', 'bare'] as const);
    for (const side of sides) {
      const rate = await measureOne(side, headers, throughputMs);
      if (typeof rate !== 'number') return rate;
      rates[side].push(rate);
    }
  }
  return rates;
}

async function measureOne(
  side: 'bare' | 'managed',
  headers: readonly string[],
  durationMs: number,
): Promise<number | NotMeasured> {
  const running = side === 'managed' ? await startManaged(app) : await startBareServing();
  try {
    // A second to get warm: both sides compile the same code first.
    await runWrk(running.port, 1_000, headers);
    const counts = await runWrk(running.port, durationMs, headers);
    return isMeasured(counts) ? (counts.requests / counts.durationMs) * 1_000 : counts;
  } finally {
    await running.stop();
  }
}

async function startBareServing(): Promise<Running> {
  const running = startBare([appPath(app)], await freePort());
  await firstAnswer(running.port, () => true);
  return running;
}
