/** The program's state as the control API shows it. Pure. */
import type { ReloadResult, Status, WorkerCrash } from '../shared/control-api.ts';
import type { Release } from '../shared/facts.ts';
import { servingGeneration, type Program } from './lifecycle/state.ts';

export interface StatusSources {
  readonly name: string;
  readonly command: readonly string[];
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[];
  readonly releaseOf: (generation: number) => Release | null;
  readonly lastReload: ReloadResult | null;
  readonly lastCrash: WorkerCrash | null;
}

export function describeStatus(program: Program, sources: StatusSources, at: number): Status {
  const generation = servingGeneration(program)?.number ?? null;
  return {
    program: sources.name,
    state: program.phase,
    generation,
    release: generation === null ? null : sources.releaseOf(generation),
    command: sources.command,
    master: { pid: sources.pid, version: sources.version, uptimeMs: Math.round(at - sources.startedAt) },
    listeners: sources.listeners.map(({ name, host, port }) => ({ name, host, port })),
    workersWanted: program.workersWanted,
    workers: program.workers.map(({ generation, slot, pid, phase, phaseSince, startedAt }) => ({
      generation,
      slot,
      pid,
      state: phase,
      inStateMs: Math.max(0, Math.round(at - phaseSince)),
      uptimeMs: Math.max(0, Math.round(at - startedAt)),
    })),
    restarts: (servingGeneration(program)?.slots ?? []).flatMap(({ index, failures, restartAt }) =>
      restartAt === null ? [] : [{ slot: index, failures, inMs: Math.max(0, Math.round(restartAt - at)) }],
    ),
    reloadPending: program.pendingSince !== null,
    lastReload: sources.lastReload,
    lastCrash: sources.lastCrash,
  };
}
