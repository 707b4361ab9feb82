/** WebSockets that send continuously while a tool reloads: how many are closed, and whether messages or state are lost. */
import { startClient } from '../clients/client-process.ts';
import type { PeerEffort } from '../effort.ts';
import { reloadRepeatedly } from '../peers/reloads.ts';
import type { Tool } from '../peers/tool.ts';
import { startInRounds, type Outcome } from '../peers/rounds.ts';

/** The counts of bench/clients/websockets.mjs. */
interface Seen {
  readonly closed: number;
  readonly sent: number;
  readonly echoed: number;
  readonly outOfOrder: number;
  /** Responses whose count did not continue from the previous one. */
  readonly lostState: number;
}

export interface WebSocketTurn extends Seen {
  readonly clients: number;
  readonly reloads: number;
  /** Worker processes after the last reload: more than configured if old ones still hold connections. */
  readonly workersLeft: number;
}

const messageEveryMs = 100;
const reloadEveryMs = 500;

export function measureWebSockets(
  tools: readonly Tool[],
  { turns, workers, webSockets, webSocketReloads }: PeerEffort,
): Promise<readonly Outcome<WebSocketTurn>[]> {
  return startInRounds({
    name: 'WebSockets',
    tools,
    turns,
    workers,
    webSockets: true,
    async measure(running) {
      const client = await startClient('websockets.mjs');
      try {
        const opened = client.next();
        const url = `ws://127.0.0.1:${running.port}/ws`;
        client.tell({ url, clients: webSockets, everyMs: messageEveryMs });
        await opened;
        await reloadRepeatedly(running, webSocketReloads, reloadEveryMs);
        const workersLeft = running.workerPids().length;
        const reported = client.next();
        client.tell('stop');
        const seen = (await reported) as Seen;
        return { ...seen, clients: webSockets, reloads: webSocketReloads, workersLeft };
      } finally {
        client.end();
      }
    },
  });
}
