/**
 * Decides between which workers connections move: the sources are the draining workers, the destinations the ready workers of the
 * current generation that can adopt. During a probation they are those of the generation before it, because a crash of the new one
 * would lose the connections. The pairs are derived from the program, so that no transition can forget one: a replacement of a
 * crashed worker, or the next reload, makes new pairs.
 */
import type { Effect } from './inputs.ts';
import { holds } from './generations.ts';
import { servingGeneration, type Program, type Worker } from './state.ts';

/** At most this many destinations per source: in a program with many workers, all pairs would cost more than they gain. */
const maxDestinations = 8;

/** The effects that connect the pairs of `after` that `before` did not have. */
export function introductions(before: Program, after: Program): readonly Effect[] {
  const known = new Set(pairsOf(before).filter(isPossible).map(nameOf));
  const pairs = pairsOf(after);
  const added = pairs.filter((pair) => isPossible(pair) && !known.has(nameOf(pair)));
  return added.map((pair, index) => ({
    type: 'introduce',
    source: pair.source.id,
    destination: pair.destination.id,
    more: [...added.slice(index + 1), ...pairs.filter((other) => !isPossible(other))].filter(
      ({ source }) => source === pair.source,
    ).length,
  }));
}

interface Pair {
  readonly source: Worker;
  readonly destination: Worker;
}

function pairsOf(program: Program): readonly Pair[] {
  const current = program.phase === 'probation' ? program.previous : servingGeneration(program);
  const sources = program.workers.filter(
    ({ phase, capabilities }) => phase === 'draining' && capabilities.migrates,
  );
  if (current === null || sources.length === 0) return [];
  const destinations = program.workers.filter(
    (worker) => worker.phase === 'ready' && worker.capabilities.migrates && holds(current, worker),
  );
  return sources.flatMap((source, index) =>
    // Each source begins with a different destination.
    [
      ...destinations.slice(index % destinations.length),
      ...destinations.slice(0, index % destinations.length),
    ]
      .slice(0, maxDestinations)
      .map((destination) => ({ source, destination })),
  );
}

function isPossible({ destination }: Pair): boolean {
  return destination.adopts;
}

function nameOf({ source, destination }: Pair): string {
  return `${source.id} ${destination.id}`;
}
