/** Counts of requests, as all measurements report them. Pure. */
import { failureCounts, failuresOf, type Tally } from '../test/helpers/tally.ts';

/** How many requests there were, and how many failed. */
export interface Count {
  readonly requests: number;
  readonly failed: number;
  /** The failures by kind, as far as the client distinguishes them. */
  readonly kinds: Readonly<Record<string, number>>;
}

/** The count of a strict client. */
export function countOf(tally: Tally): Count {
  const failed = failuresOf(tally);
  return { requests: tally.answered + failed, failed, kinds: failureCounts(tally) };
}

/** The count of a load generator, which reports its failures by kind only. */
export function countOfKinds({ requests, kinds }: Omit<Count, 'failed'>): Count {
  return { requests, failed: Object.values(kinds).reduce((sum, count) => sum + count, 0), kinds };
}
