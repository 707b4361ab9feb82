/** Clients that open a connection for each request, and clients that keep theirs, side by side. */
import type { Load } from '../helpers/load.ts';
import type { Tally } from '../helpers/tally.ts';

const answersBetween = 10;

/** How many clients open new connections, and how many others keep theirs. */
export const clients = 4;
export const paceMs = 5;

export interface Tallies {
  readonly fresh: Tally;
  readonly kept: Tally;
}

export interface Loads {
  /** Resolves when each of the two loads has got some more answers. */
  more(): Promise<Tallies>;
  stop(): Promise<Tallies>;
}

export function loadsOf(fresh: Load, kept: Load): Loads {
  return {
    async more() {
      await Promise.all([fresh, kept].map((load) => load.moreAnswers(answersBetween)));
      return { fresh: fresh.tally, kept: kept.tally };
    },
    async stop() {
      await Promise.all([fresh.stop(), kept.stop()]);
      return { fresh: fresh.tally, kept: kept.tally };
    },
  };
}
