/** What one scrape of /metrics is made of, such that no metric is missing. The table in docs/metrics.md is made from it. */
import { createCounts } from '../../src/master/metrics/event-counts.ts';
import type { Scrape } from '../../src/master/metrics/families.ts';
import type { ProcessStat } from '../../src/shared/process-stat.ts';
import { exampleAnswers } from './example-answers.ts';
import { exampleEvents } from './example-events.ts';

function process(pid: number, parent: number): ProcessStat {
  const same = { state: 'S', group: pid, session: pid, terminal: 0, threads: 11, childTicks: 0 };
  return { pid, parent, ...same, cpuTicks: 1_234, startedAt: 0 };
}

export function exampleScrape(): Scrape {
  const { master, programs } = exampleAnswers.ProgramList;
  const counts = createCounts();
  for (const event of exampleEvents) counts.observe({ ...event, program: 'shop', time: 1_795_308_017_000 });
  return {
    master,
    programs,
    counts: counts.all(),
    processes: [
      process(master.pid, 1),
      ...programs.flatMap(({ workers }) => workers.map(({ pid }) => process(pid ?? 0, master.pid))),
    ],
  };
}
