/** Renders the comparison of servers in other languages with themselves. Pure. */
import type { ForeignFigures, ForeignResult } from '../foreign/measure.ts';
import { failures, table, tenths, whole, type Row } from './table.ts';

export function foreignSections(results: readonly ForeignResult[] = []): readonly string[] {
  if (results.length === 0) return [];
  return [
    [
      '## Servers in other languages',
      '',
      'Servers that can reload themselves, in their own way and under graceful-run, with the same configuration and two workers (php-fpm: 40). Meanwhile 16',
      'clients open a new connection for every request and pause for about 10 ms in between, and 16 others keep their connections and pause for about 20 ms. They never',
      'retry a request. The last column counts the connections of these 16 that one reload closed without having announced it. Under graceful-run a reload replaces the',
      'program itself as well, not only its workers; a keep-alive connection ends as the program ends it at its stop.',
      whatNumbersAre(Math.max(...results.map(({ rounds = 1 }) => rounds))),
      '',
      ...table(
        ['', 'reloads', 'failed: new connections', 'failed: keep-alive', 'closed by a reload'],
        results.flatMap(({ program, version, ownWay, own, under, gated }) => [
          row(`${program} ${version}: ${ownWay}`, own),
          row(`${program} under graceful-run`, under),
          ...(gated === undefined ? [] : [row(`${program} under graceful-run --reuse-port`, gated)]),
        ]),
      ),
      ...(results.some(({ program }) => program === 'php-fpm') ? ['', ...phpFpm] : []),
    ].join('\n'),
  ];
}

function whatNumbersAre(rounds: number): string {
  const order =
    rounds === 1
      ? 'Each program is measured once in each way.'
      : `Each program is measured in each way in ${rounds} alternating rounds.`;
  return `${order} Failed requests are the sum over all reloads; the last column is the mean.`;
}

const phpFpm = [
  'A child of php-fpm that is told to drain while a kept connection is idle answers one more request on it. Then it exits, and the connection is reset; nothing',
  'announces that. A request that a client sends after that answer and before the reset is lost. This is so in both ways. How many requests are lost depends on how',
  'long the children take to exit: on a busier machine, 12 reloads lost 105 to 180 requests by php-fpm itself and 93 to 130 under graceful-run, in 6 runs each, 3 of them',
  'without clients that open new connections.',
];

function row(name: string, { reloads, newConnections, keepAlive, closedPerReload }: ForeignFigures): Row {
  return [
    name,
    whole(reloads),
    failures(newConnections.failed, newConnections.kinds),
    failures(keepAlive.failed, keepAlive.kinds),
    tenths(closedPerReload),
  ];
}
