/**
 * Decides between which workers connections move: the sources are the draining workers, the destinations the ready workers of the
 * current generation that can adopt. During a probation they are those of the generation before it, because a crash of the new one
 * would lose the connections. In a reload in steps, old workers that make room give theirs to the new ones, because the other old ones go next. The
 * pairs are derived from the program, so that no transition can forget one: a replacement of a crashed worker, or the next reload, makes new pairs.
 */
import type { Effect } from './inputs.ts';
import { holds } from './generations.ts';
import { isAccepting, servingGeneration, type Program, type Worker } from './state.ts';

/** How many destinations a source has at most: in a program with many workers, all pairs would cost more than they gain. */
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
  const sources = program.workers.filter(
    ({ phase, capabilities, isHung }) => phase === 'draining' && capabilities.migrates && !isHung,
  );
  if (sources.length === 0) return [];
  const staying = destinationsIn(program);
  const newWorkers = newWorkersIn(program);
  return sources.flatMap((source, index) => {
    const destinations = makesRoom(program, source) && newWorkers.length > 0 ? newWorkers : staying;
    // Each source begins with a different destination, so that connections are spread evenly.
    return [
      ...destinations.slice(index % destinations.length),
      ...destinations.slice(0, index % destinations.length),
    ]
      .slice(0, maxDestinations)
      .map((destination) => ({ source, destination }));
  });
}

function destinationsIn(program: Program): readonly Worker[] {
  const generation = program.phase === 'probation' ? program.previous : servingGeneration(program);
  if (generation === null) return [];
  const ready = program.workers.filter(
    (worker) =>
      worker.phase === 'ready' && worker.capabilities.migrates && !worker.isHung && holds(generation, worker),
  );
  if (program.phase !== 'reloading') return ready;
  // A paused worker will be told to go soon.
  const accepting = ready.filter(({ isPaused }) => !isPaused);
  return accepting.length > 0 ? accepting : ready;
}

/** The new workers that accept, in a reload in steps; none in any other phase. */
function newWorkersIn(program: Program): readonly Worker[] {
  if (program.phase !== 'reloading') return [];
  const { candidate, workers } = program;
  return workers.filter(
    (worker) => isAccepting(worker) && worker.capabilities.migrates && holds(candidate, worker),
  );
}

/**
 * Whether a worker drains to make room in the reload that is running. A worker of an earlier generation drains since an earlier reload, and one of the
 * candidate for another reason.
 */
function makesRoom(program: Program, { generation }: Worker): boolean {
  return (
    program.phase === 'reloading' &&
    generation >= program.current.number &&
    generation !== program.candidate.number
  );
}

function isPossible({ destination }: Pair): boolean {
  return destination.takesConnections;
}

function nameOf({ source, destination }: Pair): string {
  return `${source.id} ${destination.id}`;
}
