/** Adds up the counts of several rounds. Pure. */
import type { Count } from '../count.ts';
import type { FailedTurn } from '../measures/failed.ts';
import type { ForeignFigures } from '../foreign/measure.ts';
import type { Outcome } from '../peers/rounds.ts';
import { median } from '../statistics.ts';

export function addCounts(counts: readonly Count[]): Count {
  const kinds: Record<string, number> = {};
  for (const count of counts) {
    for (const [kind, failed] of Object.entries(count.kinds)) kinds[kind] = (kinds[kind] ?? 0) + failed;
  }
  return {
    requests: counts.reduce((sum, { requests }) => sum + requests, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
    kinds,
  };
}

/** The number of rounds in which something was measured; 0 if nothing was. */
export function roundsOf(outcomes: readonly Outcome<unknown>[]): number {
  return Math.max(0, ...outcomes.map((outcome) => ('turns' in outcome ? outcome.turns.length : 0)));
}

/** Sums of the counts, and the median of the closed connections. */
export function failedTotals(turns: readonly FailedTurn[]): FailedTurn {
  const keepAlive = turns.map((turn) => turn.keepAlive).filter((count) => count !== null);
  return {
    reloads: turns.reduce((sum, { reloads }) => sum + reloads, 0),
    keepAlive: keepAlive.length === 0 ? null : addCounts(keepAlive),
    newConnections: addCounts(turns.map((turn) => turn.newConnections)),
    posts: addCounts(turns.map((turn) => turn.posts)),
    closedPerReload: median(turns.map((turn) => turn.closedPerReload)),
  };
}

/** Sums of the counts, and the mean of the closed connections over all reloads. */
export function foreignTotals(turns: readonly ForeignFigures[]): ForeignFigures {
  const reloads = turns.reduce((sum, turn) => sum + turn.reloads, 0);
  const closed = turns.reduce((sum, turn) => sum + turn.closedPerReload * turn.reloads, 0);
  return {
    reloads,
    newConnections: addCounts(turns.map(({ newConnections }) => newConnections)),
    keepAlive: addCounts(turns.map(({ keepAlive }) => keepAlive)),
    closedPerReload: closed / reloads,
  };
}
