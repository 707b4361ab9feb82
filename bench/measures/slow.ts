/** How many slow requests fail that are in flight when a reload begins. */
import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from '../../test/helpers/strict-client.ts';
import { type Count, countOf } from '../count.ts';
import type { PeerEffort } from '../effort.ts';
import type { Tool } from '../peers/tool.ts';
import { startInRounds, type Outcome } from '../peers/rounds.ts';

/** The time from sending the requests to the reload: long enough for every request to have arrived, and too short for a response. */
const untilReloadMs = 500;

export function measureSlow(
  tools: readonly Tool[],
  { turns, workers, slowRequests }: PeerEffort,
): Promise<readonly Outcome<Count>[]> {
  return startInRounds({
    name: 'slow requests',
    tools,
    turns,
    workers,
    async measure(running) {
      const load = startLoad({
        port: running.port,
        mode: 'fresh',
        clients: slowRequests,
        maxRequests: slowRequests,
        path: '/slow',
      });
      await pause(untilReloadMs);
      await running.reload();
      return countOf(await load.ended);
    },
  });
}
