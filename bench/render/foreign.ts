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
      '',
      ...table(
        ['', 'reloads', 'failed: new connections', 'failed: keep-alive', 'closed by a reload'],
        results.flatMap(({ program, version, ownWay, own, under }) => [
          row(`${program} ${version}: ${ownWay}`, own),
          row(`${program} under graceful-run`, under),
        ]),
      ),
    ].join('\n'),
  ];
}

function row(name: string, { reloads, newConnections, keepAlive, closedPerReload }: ForeignFigures): Row {
  return [
    name,
    whole(reloads),
    failures(newConnections.failed, newConnections.kinds),
    failures(keepAlive.failed, keepAlive.kinds),
    tenths(closedPerReload),
  ];
}
