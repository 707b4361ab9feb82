/** The figures as Markdown tables: docs/benchmarks.md, and what the terminal shows. Pure. */
import { isMeasured, type Comparison, type Results } from './results.ts';
import { median, range } from './statistics.ts';

type Row = readonly string[];

/** The whole page. */
export function renderPage(results: Results): string {
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench`: do not edit. Everything is measured in one run, the bare application and the same one behind',
    'graceful-run (one worker) in turns; the figures are medians, with the least and the greatest in brackets, and a ratio is the',
    'median of the ratios of the turns: what slows the machine for a while slows both sides of a turn.',
    '',
    ...renderMachine(results),
    '',
    renderTables(results),
    '',
    '## To reproduce',
    '',
    '    npm ci',
    '    npm run bench                          # all of it, some seven minutes on an idle machine',
    '    npm run bench -- --quick               # a minute, to see that it runs; writes no page',
    '    npm run bench -- --json figures.json   # the raw figures too',
    '    npm run bench -- --only boot           # one part: throughput, boot, failures or idle; writes no page',
    '',
    'Needs Linux; `wrk` and `hey` are Debian packages of these names. A row whose tool is missing says so.',
    '',
  ].join('\n');
}

/** The tables alone. Parts that were not measured are left out. */
export function renderTables({ throughput, boot, failures, idle }: Partial<Results>): string {
  const sections: string[][] = [];
  if (throughput !== undefined) {
    sections.push([
      '## Throughput of one process',
      '',
      'Requests per second of a plain `node:http` server under `wrk -t1 -c32`, after a second to get warm.',
      '',
      ...table(
        ['', 'bare', 'graceful-run', 'ratio'],
        throughput.map(({ name, rates }) =>
          isMeasured(rates) ? [name, ...compare(rates, whole)] : [name, rates.missing, '', ''],
        ),
      ),
    ]);
  }
  if (boot !== undefined) {
    sections.push([
      '## Reload to first answer',
      '',
      'Milliseconds from `kill -HUP` to the first answer of the new generation, against from the spawn of the bare application to',
      'its first answer, as a fresh connection every 4 ms sees it. Whoever asks through a reload makes the old generation work on the',
      'processors that the new one boots on; so in the second row of each application nobody asks before the master says that',
      'the new generation serves.',
      '',
      ...table(
        ['', 'bare boot', 'reload', 'ratio'],
        boot.flatMap(({ app, times, quietReloads }) => [
          [`\`bench/apps/${app}\`, asked all the time`, ...compare(times, tenths)],
          [`not asked before it serves`, ...compare({ ...times, managed: quietReloads }, tenths)],
        ]),
      ),
    ]);
  }
  if (failures !== undefined) {
    sections.push([
      '## Failed requests while reloading once a second',
      '',
      'The strict client (test/helpers/strict-client.ts) never makes a request twice, and counts every refusal, reset, early end,',
      'timeout, missing or wrong answer.',
      '',
      ...table(
        ['client', 'reloads', 'requests', 'failed'],
        failures.map(({ client, counts }) =>
          isMeasured(counts)
            ? [
                client,
                whole(counts.reloads),
                whole(counts.requests),
                renderFailed(counts.failed, counts.kinds),
              ]
            : [client, counts.missing, '', ''],
        ),
      ),
    ]);
  }
  if (idle !== undefined) {
    const { bare, managed } = idle.memoryBytes;
    sections.push([
      '## The master while nothing happens',
      '',
      'Against a bare Node.js process of the same version that only waits.',
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
  return sections.map((lines) => lines.join('\n')).join('\n\n');
}

function renderMachine({ machine }: Results): readonly string[] {
  return [
    `- ${machine.cores} cores, ${machine.cpu}`,
    `- ${machine.kernel}, Node.js ${machine.node}`,
    `- ${machine.date}`,
  ];
}

function renderFailed(failed: number, kinds: Readonly<Record<string, number>>): string {
  const parts = Object.entries(kinds).map(([kind, count]) => `${kind} ${count}`);
  return parts.length === 0 ? whole(failed) : `${whole(failed)} (${parts.join(', ')})`;
}

function compare({ bare, managed }: Comparison, write: (value: number) => string): Row {
  const ratios = managed.map((value, turn) => value / (bare[turn] ?? NaN));
  return [spread(bare, write), spread(managed, write), median(ratios).toFixed(2)];
}

function spread(values: readonly number[], write: (value: number) => string): string {
  const [least, greatest] = range(values);
  const middle = write(median(values));
  return values.length < 2 ? middle : `${middle} (${write(least)}–${write(greatest)})`;
}

function table(head: Row, rows: readonly Row[]): readonly string[] {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const line = (row: Row): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function tenths(value: number): string {
  return value.toFixed(1);
}

function megabytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}
