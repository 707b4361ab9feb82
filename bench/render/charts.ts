/** The charts of docs/charts/ by file name, and the figures that each shows. Pure. */
import type { PeerResults } from '../measures/index.ts';
import type { Outcome } from '../peers/rounds.ts';
import { median } from '../statistics.ts';
import { drawBars, type BarGroup } from './bar-chart.ts';
import { failedTotals } from './totals.ts';

/** Draws the charts. Those without figures are left out. */
export function drawCharts({ failed, latency }: PeerResults): Readonly<Record<string, string>> {
  const charts: Record<string, string> = {};
  if (failed !== undefined) {
    const reloads = Math.max(
      0,
      ...failed.map((one) => ('turns' in one ? failedTotals(one.turns).reloads : 0)),
    );
    charts['failed-requests.svg'] = drawBars({
      title: `Failed requests in ${reloads} reloads under each load`,
      subtitle: 'Fewer is better. Two workers; no client makes a request twice.',
      series: ['wrk, 32 keep-alive connections', '32 clients, new connections', '200 clients that POST'],
      groups: groups(failed, (turns) => {
        const { keepAlive, newConnections, posts } = failedTotals(turns);
        return [keepAlive?.failed ?? null, newConnections.failed, posts.failed];
      }),
    });
    charts['closed-connections.svg'] = drawBars({
      title: 'Connections closed by one reload, of 200',
      subtitle: 'Fewer is better. Paced clients over keep-alive connections.',
      series: ['closed'],
      groups: groups(failed, (turns) => [Math.round(failedTotals(turns).closedPerReload)]),
    });
  }
  if (latency !== undefined) {
    const reloadable = latency.filter(
      (one) => 'turns' in one && one.turns.some((turn) => turn.reloading !== null),
    );
    charts['latency-tail.svg'] = drawBars({
      title: 'Latency at 800 requests a second, p99.9 in ms',
      subtitle: 'Less is better. Measured from when a request was due; a reload every 1.5 s.',
      series: ['while reloading', 'while nothing happens'],
      groups: groups(reloadable, (turns) => [
        median(turns.map((turn) => turn.reloading?.p999 ?? NaN)),
        median(turns.map((turn) => turn.quiet.p999)),
      ]),
    });
  }
  return charts;
}

function groups<Figures>(
  outcomes: readonly Outcome<Figures>[],
  values: (turns: readonly Figures[]) => readonly (number | null)[],
): readonly BarGroup[] {
  return outcomes.flatMap((outcome) =>
    'turns' in outcome && outcome.turns.length > 0
      ? [
          {
            label: outcome.tool,
            isOwn: outcome.tool.startsWith('graceful-run'),
            values: values(outcome.turns),
          },
        ]
      : [],
  );
}
