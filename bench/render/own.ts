/** Renders the comparison of graceful-run with bare Node.js. Pure. */
import { isMeasured, type Comparison, type OwnResults, type SpreadResult } from '../own/results.ts';
import { median } from '../statistics.ts';
import { failures, hundredths, megabytes, spread, table, tenths, whole, type Row } from './table.ts';

/** Renders one section for each measurement; those without figures are left out. */
export function ownSections({
  throughput,
  spread: spreads,
  boot,
  failures: failed,
  upgrades,
  crowd,
  idle,
}: OwnResults): readonly string[] {
  const sections: string[][] = [];
  if (throughput !== undefined) {
    sections.push([
      '### Throughput of one process',
      '',
      'Requests per second of a plain `node:http` server under `wrk -t1 -c32`, after a warm-up of one second. In each round, both run at the same',
      'time, each in a new process, and are measured alternately.',
      '',
      ...table(
        ['', 'bare', 'graceful-run', 'ratio'],
        throughput.map(({ name, rates }) =>
          isMeasured(rates) ? [name, ...compare(rates, whole)] : [name, rates.missing, '', ''],
        ),
      ),
    ]);
  }
  if (spreads !== undefined) {
    sections.push([
      '### How load spreads over workers',
      '',
      'Workers that share one listener, workers with one each, and node:cluster, whose primary hands out connections in turn: all run at the same time, are',
      'measured alternately, and respond with the pid. `wrk -t1 -c32`; each run opens its 32 connections at once. "Busiest" is the share of the',
      'worker that has most of them, or that answers most requests; evenly it would be 16 of 32 and 50% with two workers, 8 and 25% with four.',
      'Each ratio is the median of the ratios to node:cluster in the same turn, not the ratio of the medians. "µs each" is the processor time of all workers, divided by the number of',
      'keep-alive requests. Meanwhile the autogroups of the kernel are off, if the bench may do that (`kernel.sched_autogroup_enabled=0`, as root): with them each',
      'session gets the same share of the processors, so wrk would get less beside workers of graceful-run, which have a session each.',
      '',
      ...(isMeasured(spreads) ? spreadTable(spreads) : [spreads.missing]),
    ]);
  }
  if (boot !== undefined) {
    sections.push([
      '### Reload to first response',
      '',
      'Milliseconds from `kill -HUP` to the first response of the new generation, compared with the time from the spawn of the bare application to its',
      'first response. A request on a new connection every 4 ms detects that response. These requests keep the old generation busy on the processors on which the new one boots, while',
      'a bare boot has them to itself. So the second row of each application compares with a bare boot beside another bare process, which gets the same requests. In the',
      'third, the requests begin only when the master reports that the new generation serves. Each ratio is the median of the ratios of the rounds, not that of the medians.',
      '',
      ...table(
        ['', 'bare boot', 'reload', 'ratio'],
        boot.flatMap(({ app, times, besideBusy, quietReloads }) => [
          [`\`bench/apps/${app}\`, requests during the reload`, ...compare(times, tenths)],
          ...(besideBusy === undefined
            ? []
            : [['requests during both', ...compare({ ...times, bare: besideBusy }, tenths)]]),
          ['no requests before it serves', ...compare({ ...times, managed: quietReloads }, tenths)],
        ]),
      ),
    ]);
  }
  if (failed !== undefined) {
    sections.push([
      '### Failed requests while reloading once a second',
      '',
      'The strict client (test/helpers/strict-client.ts in the repository) never retries a request, and counts every refused connection, reset, early end, timeout,',
      'missing or wrong response.',
      '',
      ...table(
        ['client', 'reloads', 'requests', 'failed'],
        failed.map(({ client, counts }) =>
          isMeasured(counts)
            ? [client, whole(counts.reloads), whole(counts.requests), failures(counts.failed, counts.kinds)]
            : [client, counts.missing, '', ''],
        ),
      ),
    ]);
  }
  if (upgrades !== undefined) {
    sections.push([
      '### Failed requests while the master upgrades itself once a second',
      '',
      'On SIGUSR2, the master replaces graceful-run and Node.js in its own process ([upgrade.md](upgrade.md)). Its workers stay, and so do their connections.',
      '"Master away" is the time in milliseconds during which it answers no command. What the workers write meanwhile waits in pipes.',
      '',
      ...table(
        ['client', 'upgrades', 'requests', 'failed', 'master away'],
        upgrades.map(({ client, counts }) =>
          isMeasured(counts)
            ? [
                client,
                whole(counts.upgrades),
                whole(counts.requests),
                failures(counts.failed, counts.kinds),
                spread(counts.awayMs, whole),
              ]
            : [client, counts.missing, '', '', ''],
        ),
      ),
    ]);
  }
  if (crowd !== undefined) {
    const { connections, moved, closed, movedMs, longestMs } = crowd;
    sections.push([
      '### Many idle connections',
      '',
      'Keep-alive connections to one worker, all of which move to the new worker in a reload. "Moved within" is the time in milliseconds from the end of',
      'the probation to the exit of the old worker. From the signal on, a request is sent every 5 ms, each on a different connection; then the same for',
      'as long without a reload. "Longest wait" is the longest time until a response, in ms.',
      '',
      ...table(
        [
          'connections',
          'reloads',
          'moved',
          'closed',
          'moved within',
          'longest wait: no reload',
          'while reloading',
        ],
        [
          [
            whole(connections),
            whole(movedMs.length),
            whole(moved),
            whole(closed),
            spread(movedMs, whole),
            spread(longestMs.without, whole),
            spread(longestMs.during, whole),
          ],
        ],
      ),
    ]);
  }
  if (idle !== undefined) {
    const { bare, managed } = idle.memoryBytes;
    sections.push([
      '### The master while nothing happens',
      '',
      'Compared with an idle bare Node.js process of the same version.',
      '',
      ...table(
        ['', 'bare', 'master', 'difference'],
        [
          [
            'resident memory (MB)',
            spread(bare, megabytes),
            spread(managed, megabytes),
            megabytes(median(managed) - median(bare)),
          ],
          [
            `wake-ups in ${idle.windowMs / 1_000} s, all threads`,
            spread(idle.wakeUps.bare, whole),
            spread(idle.wakeUps.managed, whole),
            whole(median(idle.wakeUps.managed) - median(idle.wakeUps.bare)),
          ],
        ],
      ),
    ]);
  }
  return sections.map((lines) => lines.join('\n'));
}

function spreadTable(results: readonly SpreadResult[]): readonly string[] {
  return table(
    [
      'workers',
      '',
      'keep-alive',
      'ratio',
      'µs each',
      'busiest, of 32',
      '`Connection: close`',
      'ratio',
      'busiest',
    ],
    results.map(({ workers, name, keepAlive, processorUs, connections, close, requests }) => {
      const other = results.find((one) => one.workers === workers && one.name === 'node:cluster');
      const ratio = (rates: readonly number[], base: readonly number[] = []): string =>
        hundredths(median(rates.map((rate, turn) => rate / (base[turn] ?? NaN))));
      return [
        String(workers),
        name,
        spread(keepAlive, whole),
        ratio(keepAlive, other?.keepAlive),
        processorUs === undefined ? 'not measured' : spread(processorUs, tenths),
        spread(
          connections.map(([most = 0]) => most),
          whole,
        ),
        spread(close, whole),
        ratio(close, other?.close),
        `${spread(requests.map(busiestPercent), whole)}%`,
      ];
    }),
  );
}

function busiestPercent(counts: readonly number[]): number {
  const [most = 0] = counts;
  return (100 * most) / counts.reduce((sum, count) => sum + count, 0);
}

function compare({ bare, managed }: Comparison, write: (value: number) => string): Row {
  const ratios = managed.map((value, turn) => value / (bare[turn] ?? NaN));
  return [spread(bare, write), spread(managed, write), hundredths(median(ratios))];
}
