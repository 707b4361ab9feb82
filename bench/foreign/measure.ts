/** Failed requests and closed connections while a server in another language reloads: by itself, and under graceful-run. No client retries a request. */
import { setTimeout as pause } from 'node:timers/promises';
import { failuresOf } from '../../test/helpers/tally.ts';
import type { ForeignEffort } from '../effort.ts';
import { type Count, countOf } from '../count.ts';
import { foreignTotals } from '../render/totals.ts';
import { programs, startItself, startUnder, type RunningProgram } from './programs.ts';

export interface ForeignResult {
  readonly program: string;
  readonly version: string;
  /** How often each way was measured; missing if once. */
  readonly rounds?: number;
  /** The server's own way to reload. */
  readonly ownWay: string;
  readonly own: ForeignFigures;
  readonly under: ForeignFigures;
  /** Under graceful-run with `--reuse-port`. Missing in results of earlier versions. */
  readonly gated?: ForeignFigures;
}

/** The figures of one round, or of several together. */
export interface ForeignFigures {
  readonly reloads: number;
  readonly newConnections: Count;
  readonly keepAlive: Count;
  /** Connections of the keep-alive clients that the server closed without having announced it, idle or not, per reload. */
  readonly closedPerReload: number;
}

export const freshClients = { mode: 'fresh', clients: 16, paceMs: 10 } as const;
export const keptClients = { mode: 'keepAlive', clients: 16, paceMs: 20 } as const;

export async function measureForeign(effort: ForeignEffort): Promise<readonly ForeignResult[]> {
  const measured = programs.flatMap((program) => {
    const version = program.version();
    return version === null ? [] : [{ program, version, turns: new Array<Turn>() }];
  });
  const { rounds } = effort;
  for (let round = 1; round <= rounds; round += 1) {
    for (const { program, turns } of measured) {
      console.error(`foreign, round ${round}: ${program.name}`);
      const own = await measureOne(await startItself(program), effort);
      const under = await measureOne(await startUnder(program, []), effort);
      const gated = await measureOne(await startUnder(program, ['--reuse-port']), effort);
      turns.push({ own, under, gated });
    }
  }
  return measured.map(({ program: { name, ownWay }, version, turns }) => ({
    program: name,
    version,
    rounds,
    ownWay,
    own: foreignTotals(turns.map(({ own }) => own)),
    under: foreignTotals(turns.map(({ under }) => under)),
    gated: foreignTotals(turns.map(({ gated }) => gated)),
  }));
}

type Turn = Readonly<Record<'own' | 'under' | 'gated', ForeignFigures>>;

async function measureOne(
  running: RunningProgram,
  { reloads, everyMs }: ForeignEffort,
): Promise<ForeignFigures> {
  try {
    const [fresh, kept] = [running.load(freshClients), running.load(keptClients)];
    for (let done = 0; done < reloads; done += 1) {
      // The reload comes at a random moment of the clients' pauses.
      await pause(everyMs * (0.9 + 0.2 * Math.random()));
      await running.reload();
    }
    // The clients continue until the old workers are gone and for a moment longer, because some failures show late.
    await running.drained();
    await pause(everyMs);
    const [newConnections, keepAlive] = await Promise.all([fresh.stop(), kept.stop()]);
    return {
      reloads,
      newConnections: countOf(newConnections),
      keepAlive: countOf(keepAlive),
      closedPerReload: (keepAlive.closedIdle + failuresOf(keepAlive)) / reloads,
    };
  } finally {
    await running.stop();
  }
}
