/** The program's state as the control API shows it. Pure. */
import type { ProgramState, ReloadResult, Status, WorkerCrash } from '../shared/control-api.ts';
import type { Release } from '../shared/facts.ts';
import { servingGeneration, type Program, type Worker } from './lifecycle/state.ts';

export interface StatusSources {
  readonly name: string;
  readonly command: readonly string[];
  readonly version: string;
  readonly pid: number;
  readonly logId: string | null;
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
    state: stateOf(program),
    probation:
      program.phase === 'probation'
        ? { previous: program.previous.number, remainingMs: Math.max(0, Math.round(program.until - at)) }
        : null,
    generation,
    release: generation === null ? null : sources.releaseOf(generation),
    command: sources.command,
    master: {
      pid: sources.pid,
      version: sources.version,
      uptimeMs: Math.round(at - sources.startedAt),
      logId: sources.logId,
    },
    listeners: sources.listeners.map(({ name, host, port }) => ({ name, host, port })),
    workersWanted: program.workersWanted,
    workers: program.workers.map((worker) => ({
      generation: worker.generation,
      slot: worker.slot,
      pid: worker.pid,
      state: worker.phase,
      isAccepting: isAccepting(worker),
      inStateMs: Math.max(0, Math.round(at - worker.phaseSince)),
      uptimeMs: Math.max(0, Math.round(at - worker.startedAt)),
    })),
    restarts: (servingGeneration(program)?.slots ?? []).flatMap(({ index, failures, restartAt }) =>
      restartAt === null ? [] : [{ slot: index, failures, inMs: Math.max(0, Math.round(restartAt - at)) }],
    ),
    reloadPending: program.pendingSince !== null,
    lastReload: sources.lastReload,
    lastCrash: sources.lastCrash,
  };
}

function isAccepting({ phase, admission, isPaused }: Worker): boolean {
  return phase === 'ready' && admission === 'confirmed' && !isPaused;
}

function stateOf(program: Program): ProgramState {
  const { phase, workers } = program;
  if (servingGeneration(program) !== null && !workers.some(isAccepting)) return 'restarting';
  return phase === 'probation' ? 'serving' : phase;
}
