/** A load of strict clients, half of which keep their connections and half of which open a new one for every request. */
import { startLoad } from '../../test/helpers/strict-client.ts';
import { failureCounts, failuresOf } from '../../test/helpers/tally.ts';
import type { Count } from '../count.ts';
import { addCounts } from '../render/totals.ts';

/** The clients pause for 10 ms between requests. */
const clients = 64;

export interface MixedLoad {
  /** The pids that have responded so far. */
  readonly seen: ReadonlySet<number>;
  /** Resolves when this many requests for each client have been answered from now on, on average. */
  moreAnswers(each: number): Promise<void>;
  /** `closed`: how many kept connections the server has closed between two requests, announced or not. */
  stop(): Promise<Count & { readonly closed: number }>;
}

export function startMixedLoad(port: number): MixedLoad {
  const seen = new Set<number>();
  const options = {
    port,
    clients: clients / 2,
    paceMs: 10,
    maxFailures: Infinity,
    answered: ({ body }: { readonly body: string }): void => {
      seen.add(Number(body));
    },
  };
  const kept = startLoad({ ...options, mode: 'keepAlive' });
  const fresh = startLoad({ ...options, mode: 'fresh' });
  return {
    seen,
    async moreAnswers(each) {
      await Promise.all([kept, fresh].map((load) => load.moreAnswers((each * clients) / 2)));
    },
    async stop() {
      const [ofKept, ofFresh] = await Promise.all([kept.stop(), fresh.stop()]);
      const counts = [ofKept, ofFresh].map((tally) => {
        const failed = failuresOf(tally);
        return { requests: tally.answered + failed, failed, kinds: failureCounts(tally) };
      });
      return { ...addCounts(counts), closed: ofKept.closedIdle + ofKept.closedAsAnnounced };
    },
  };
}
