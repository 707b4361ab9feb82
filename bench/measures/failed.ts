/**
 * Failed requests of three kinds of clients while a tool reloads, and how many connections of the last kind the tool closes meanwhile. No
 * client retries a request.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from '../../test/helpers/strict-client.ts';
import { type Count, countOf, countOfKinds } from '../count.ts';
import type { PeerEffort } from '../effort.ts';
import { runWrk } from '../load-tools.ts';
import { isMeasured } from '../own/results.ts';
import { reloadRepeatedly } from '../peers/reloads.ts';
import type { RunningTool, Tool } from '../peers/tool.ts';
import { startInRounds, type Outcome } from '../peers/rounds.ts';

export interface FailedTurn {
  readonly reloads: number;
  /** The counts of the clients with keep-alive; null if wrk is not installed. */
  readonly keepAlive: Count | null;
  readonly newConnections: Count;
  readonly posts: Count;
  /** Connections of the POST clients that the server closed, per reload. */
  readonly closedPerReload: number;
}

export function measureFailed(
  tools: readonly Tool[],
  effort: PeerEffort,
): Promise<readonly Outcome<FailedTurn>[]> {
  const { turns, workers, reloads } = effort;
  return startInRounds({
    name: 'failed requests',
    tools,
    turns,
    workers,
    async measure(running) {
      const keepAlive = await underWrk(running, effort);
      const fresh = await underClients(running, effort, { mode: 'fresh', clients: 32, paceMs: 10 });
      const posts = await underClients(running, effort, {
        mode: 'keepAlive',
        clients: postingClients,
        paceMs: 150,
        body: 'x'.repeat(256),
      });
      return {
        reloads,
        keepAlive,
        newConnections: fresh.count,
        posts: posts.count,
        // A client opens another connection only if the server closed the previous one.
        closedPerReload: (posts.connections - postingClients) / reloads,
      };
    },
  });
}

const postingClients = 200;

/** How long wrk runs at most: longer than any tool takes for all reloads. */
const longestMs = 100_000;

/** Counts under wrk, which continues for a moment after the last reload, because some failures show late. */
async function underWrk(running: RunningTool, effort: PeerEffort): Promise<Count | null> {
  const { reloads, reloadEveryMs } = effort;
  const reloading = reloadRepeatedly(running, reloads, reloadEveryMs).then(() => pause(reloadEveryMs));
  const [counts] = await Promise.all([runWrk(running.port, longestMs, [], reloading), reloading]);
  if (!isMeasured(counts)) return null;
  return countOfKinds(counts);
}

/** A response that has not arrived within this time has failed. Usually it takes a millisecond. */
const timeoutMs = 5_000;

interface Clients {
  readonly mode: 'keepAlive' | 'fresh';
  readonly clients: number;
  readonly paceMs: number;
  readonly body?: string;
}

async function underClients(
  running: RunningTool,
  effort: PeerEffort,
  clients: Clients,
): Promise<{ readonly count: Count; readonly connections: number }> {
  const load = startLoad({
    ...clients,
    port: running.port,
    timeoutMs,
    maxMs: longestMs,
    maxFailures: Infinity,
  });
  await reloadRepeatedly(running, effort.reloads, effort.reloadEveryMs);
  await load.moreAnswers(5 * clients.clients);
  const tally = await load.stop();
  return { count: countOf(tally), connections: tally.connections };
}
