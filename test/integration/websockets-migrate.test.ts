// WebSockets of a server with the adapter: they move to the new worker, and nobody notices. Nothing is lost, doubled or reordered.
import { describe, expect, it } from 'vitest';
import { CountingClient } from '../helpers/counting-client.ts';
import { eventually } from '../helpers/eventually.ts';
import { runMaster, type RunningMaster } from '../helpers/run-master.ts';

const server = new URL('../fixtures/websockets/counts.mjs', import.meta.url).pathname;

function run(env: NodeJS.ProcessEnv = {}, flags: readonly string[] = []): RunningMaster {
  return runMaster({ command: [process.execPath, server], env, flags });
}

async function connectAll(port: number, count: number): Promise<readonly CountingClient[]> {
  return Promise.all(Array.from({ length: count }, () => CountingClient.connect(port)));
}

async function exitOf(master: RunningMaster, generation: number): Promise<object> {
  const { outcome, migrated, cut } = await master.waitFor('workerExited', { generation });
  return { code: outcome.code, migrated, cut };
}

function end(clients: readonly CountingClient[]): void {
  for (const { ws } of clients) ws.terminate();
}

describe.each(['ws', 'ws-oldest'])('with %s', (WS) => {
  it('50 connections that talk both ways live through five reloads', async () => {
    const master = run({ WS });
    const clients = await connectAll(await master.serving(), 50);
    await Promise.all(clients.map((client) => client.ask({ ask: 'ticks' })));
    const talk = setInterval(() => {
      for (const client of clients) client.send();
    }, 20);
    for (const generation of [2, 3, 4, 5, 6]) {
      await master.reload(generation);
      expect(await exitOf(master, generation - 1)).toEqual({ code: 0, migrated: 50, cut: 0 });
    }
    clearInterval(talk);
    await Promise.all(clients.map((client) => client.ask({ ask: 'noTicks' })));
    for (const client of clients) {
      expect(client.mistakes).toEqual([]);
      expect(client.isAnswered).toBe(true);
      expect(new Set(client.said.map(({ generation }) => generation))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    }
    end(clients);
    void eventually;
  });
});
