/**
 * Who gives connections to whom: every draining worker to the ready ones of the generation that serves, each as soon as it
 * adopts. While a generation is on probation they go to the one before it: a crash of the new one would take them along. Derived from the program, so that no transition can forget it: a replacement of a crashed worker, or the next reload,
 * is a new pair.
 */
import type { Effect } from './inputs.ts';
import { holds } from './generations.ts';
import { servingGeneration, type Program, type Worker } from './state.ts';

/** A giver is introduced to so many takers at most: the pairs of big programs would cost more than they spread. */
const maxTakers = 8;

/** The pairs that were not there before. */
export function introductions(before: Program, after: Program): readonly Effect[] {
  if (!after.settings.capabilities.migrates) return [];
  const known = new Set(pairsOf(before).filter(isPossible).map(nameOf));
  const pairs = pairsOf(after);
  const added = pairs.filter((pair) => isPossible(pair) && !known.has(nameOf(pair)));
  return added.map((pair, index) => ({
    type: 'introduce',
    giver: pair.giver.id,
    taker: pair.taker.id,
    more: [...added.slice(index + 1), ...pairs.filter((other) => !isPossible(other))].filter(
      ({ giver }) => giver === pair.giver,
    ).length,
  }));
}

interface Pair {
  readonly giver: Worker;
  readonly taker: Worker;
}

function pairsOf(program: Program): readonly Pair[] {
  const current = program.phase === 'probation' ? program.previous : servingGeneration(program);
  const givers = program.workers.filter(({ phase }) => phase === 'draining');
  if (current === null || givers.length === 0) return [];
  const takers = program.workers.filter((worker) => worker.phase === 'ready' && holds(current, worker));
  return givers.flatMap((giver, index) =>
    // Each begins with another one.
    [...takers.slice(index % takers.length), ...takers.slice(0, index % takers.length)]
      .slice(0, maxTakers)
      .map((taker) => ({ giver, taker })),
  );
}

function isPossible({ taker }: Pair): boolean {
  return taker.adopts;
}

function nameOf({ giver, taker }: Pair): string {
  return `${giver.id} ${taker.id}`;
}
