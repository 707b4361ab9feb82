/** A load of strict clients, half of which keep their connections and half of which open a new one for every request. */
import { startLoad } from '../../test/helpers/strict-client.ts';
import { eventually } from '../../test/helpers/eventually.ts';
import { type Count, countOf } from '../count.ts';
import { addCounts } from '../render/totals.ts';

/** The clients pause for 10 ms between requests. */
const clients = 64;
const patienceMs = 5_000;

export interface MixedLoad {
  /** Resolves when this many requests for each client have been answered from now on, on average. */
  moreAnswers(each: number): Promise<void>;
  /** Resolves to the milliseconds from `since` until another process than the `old` ones has responded; null if none does in time. */
  replaced(old: readonly number[], since: number): Promise<number | null>;
  /** `closed`: how many kept connections the server has closed between two requests, announced or not. */
  stop(): Promise<Count & { readonly closed: number }>;
}

export function startMixedLoad(port: number): MixedLoad {
  /** The pids that have responded so far. */
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
    replaced(old, since) {
      const hasNew = (): boolean => [...seen].some((pid) => !old.includes(pid));
      return eventually('a new worker answers', hasNew, patienceMs).then(
        () => performance.now() - since,
        () => null,
      );
    },
    async moreAnswers(each) {
      await Promise.all([kept, fresh].map((load) => load.moreAnswers((each * clients) / 2)));
    },
    async stop() {
      const [ofKept, ofFresh] = await Promise.all([kept.stop(), fresh.stop()]);
      const counts = addCounts([ofKept, ofFresh].map(countOf));
      return { ...counts, closed: ofKept.closedIdle + ofKept.closedAsAnnounced };
    },
  };
}
