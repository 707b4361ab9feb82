/**
 * What all client tests do: start a program behind the built graceful-run, put it under load, reload it a few times, and
 * expect that nobody noticed. It must not know which program or protocol.
 */
import { expect } from 'vitest';
import { runMaster, type RunOptions } from '../helpers/run-master.ts';
import type { Load } from '../helpers/load.ts';
import { startLoad, type LoadOptions } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';

const reloads = 3;
/** So many requests each load has answered between two reloads. */
const answersBetween = 20;

export interface StartedLoad {
  readonly load: Load;
  /** The youngest generation that has answered; null where answers do not tell. */
  readonly youngest: () => number | null;
  /** Its connections can move: none of them may be closed. */
  readonly keepsConnections?: boolean;
}

/** Runs `command`, reloads it under the loads, and expects no failure, a clean exit of every worker, nothing cut. */
export async function expectNoFailure(
  options: RunOptions,
  startLoads: (port: number) => readonly StartedLoad[] = httpLoads,
): Promise<void> {
  const master = runMaster(options);
  const port = await master.serving();
  const loads = startLoads(port);
  const everybodyServed = async (): Promise<void> => {
    await Promise.all(loads.map(({ load }) => load.moreAnswers(answersBetween)));
  };
  try {
    for (let generation = 2; generation <= reloads + 1; generation += 1) {
      await everybodyServed();
      await master.reload(generation);
      // Each of them: a busy connection may stay with an old worker for a while after the other one has gone.
      for (const { slot } of master.all('workerStarted', { generation: generation - 1 })) {
        const { outcome, cut } = await master.waitFor('workerExited', { generation: generation - 1, slot });
        expect({ outcome, cut }).toEqual({ outcome: { code: 0, signal: null }, cut: 0 });
      }
    }
    await everybodyServed();
  } finally {
    await Promise.all(loads.map(({ load }) => load.stop()));
  }
  for (const { load, youngest, keepsConnections = false } of loads) {
    expect(failureCounts(load.tally), load.tally.examples.join('\n')).toEqual({});
    expect(load.tally.answered).toBeGreaterThan(reloads * answersBetween);
    const { closedAsAnnounced, closedIdle } = load.tally;
    if (keepsConnections)
      expect({ closedAsAnnounced, closedIdle }).toEqual({ closedAsAnnounced: 0, closedIdle: 0 });
    if (youngest() !== null) expect(youngest()).toBe(reloads + 1);
  }
  expect(master.all('workerFailed')).toEqual([]);
  expect(master.all('undeclaredListen')).toEqual([]);
}

const clients = 4;
const paceMs = 5;
const posted = 'x'.repeat(20_000);

/** Keep-alive, fresh connections and posts with a body, all at the same time. */
export function httpLoads(port: number, options: Partial<LoadOptions> = {}): readonly StartedLoad[] {
  const echoed = (body: string): string | null =>
    body === posted ? null : `echoed ${body.length} characters`;
  return [
    oneLoad({ port, mode: 'keepAlive', clients, paceMs, ...options }),
    oneLoad({ port, mode: 'keepAlive', ...options }),
    oneLoad({ port, mode: 'fresh', clients, paceMs, ...options }),
    {
      load: startLoad({
        port,
        mode: 'keepAlive',
        clients,
        paceMs,
        path: '/echo',
        body: posted,
        problemOf: (response) => echoed(response.body),
        ...options,
      }),
      youngest: () => null,
      keepsConnections: options.certificate === undefined,
    },
  ];
}

function oneLoad(options: LoadOptions): StartedLoad {
  const seen = watchGenerations();
  return {
    load: startLoad({
      ...options,
      problemOf: ({ body }) => seen.problemOf(body),
      answered: ({ body }) => {
        seen.note(body);
      },
    }),
    youngest: seen.youngest,
    keepsConnections: options.mode === 'keepAlive' && options.certificate === undefined,
  };
}

/** Reads which generation an answer is from. */
export interface GenerationWatch {
  readonly problemOf: (body: string) => string | null;
  readonly note: (body: string) => void;
  readonly youngest: () => number;
}

export function watchGenerations(): GenerationWatch {
  let youngest = 0;
  const generationOf = (body: string): string | undefined => /^generation (\d+)$/.exec(body)?.[1];
  return {
    problemOf: (body) => (generationOf(body) === undefined ? `the body is ${JSON.stringify(body)}` : null),
    note: (body) => {
      youngest = Math.max(youngest, Number(generationOf(body)));
    },
    youngest: () => youngest,
  };
}
