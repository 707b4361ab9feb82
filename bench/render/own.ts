/** The tables of graceful-run against bare Node.js. Pure. */
import { isMeasured, type Comparison, type OwnResults } from '../own/results.ts';
import { median } from '../statistics.ts';
import { failures, megabytes, spread, table, tenths, whole, type Row } from './table.ts';

/** A section for each part; those that were not measured are left out. */
export function ownSections({
  throughput,
  boot,
  failures: failed,
  crowd,
  idle,
}: OwnResults): readonly string[] {
  const sections: string[][] = [];
  if (throughput !== undefined) {
    sections.push([
      '### Throughput of one process',
      '',
      'Requests per second of a plain `node:http` server under `wrk -t1 -c32`, after a second to get warm. In each round both serve at the',
      'same time, a new process each, and are asked in turns.',
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
      '### Reload to first answer',
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
  if (failed !== undefined) {
    sections.push([
      '### Failed requests while reloading once a second',
      '',
      'The strict client (test/helpers/strict-client.ts) never makes a request twice, and counts every refusal, reset, early end,',
      'timeout, missing or wrong answer.',
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
  if (crowd !== undefined) {
    const { connections, moved, closed, movedMs, longestMs } = crowd;
    sections.push([
      '### Idle connections in great number',
      '',
      'Keep-alive connections to one worker, all of which move to the new one in a reload: milliseconds from the moment at which that one',
      'has passed its probation until the old one is gone. Meanwhile one of them after another asks, one every 5 ms, from the signal on; then, for the same',
      'time, without a reload: the longest wait for an answer in ms.',
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
  return sections.map((lines) => lines.join('\n'));
}

function compare({ bare, managed }: Comparison, write: (value: number) => string): Row {
  const ratios = managed.map((value, turn) => value / (bare[turn] ?? NaN));
  return [spread(bare, write), spread(managed, write), median(ratios).toFixed(2)];
}
