/** The program's state as the control API shows it. Pure. */
import type {
  DrainingStatus,
  ProgramState,
  ReloadResult,
  Status,
  WorkerCrash,
} from '../../shared/control-api.ts';
import type { Release, WorkerPhase } from '../../shared/events.ts';
import type { OpenCounts } from '../../shared/protocol.ts';
import type { DrainProgressEvent } from './drain-progress.ts';
import { servingGeneration, type LifecycleSettings, type Program, type Worker } from './lifecycle/state.ts';

export interface StatusSources {
  readonly name: string;
  readonly command: readonly string[];
  readonly version: string;
  readonly pid: number;
  readonly logId: string | null;
  readonly startedAt: number;
  readonly listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[];
  readonly releaseOf: (generation: number) => Release | null;
  readonly otherReleaseIn: (generation: number, slot: number) => Release | null;
  readonly openOf: (worker: number) => OpenCounts | null;
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
      otherRelease: sources.otherReleaseIn(worker.generation, worker.slot),
      draining: drainingOf(worker, program.settings, sources.openOf(worker.id), at),
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

/** What a worker that leaves still has, and its deadline; null for one that stays. */
function drainingOf(
  { phase, phaseSince }: Worker,
  { drainTimeoutMs, killDelayMs }: LifecycleSettings,
  open: OpenCounts | null,
  at: number,
): DrainingStatus | null {
  if (phase !== 'draining' && phase !== 'terminating') return null;
  const boundMs = phase === 'draining' ? drainTimeoutMs : killDelayMs;
  return {
    leftMs: Math.max(0, Math.round(boundMs - (at - phaseSince))),
    requests: open?.requests ?? null,
    connections: open?.connections ?? null,
    isCleaningUp: open?.isCleaningUp ?? null,
  };
}

/** What a stop or a drain still waits for; null when it waits for nothing. */
export function describeDrain({ state, workers }: Status): DrainProgressEvent | null {
  const leaving = workers.filter(({ state: phase }) => leavingStates.has(phase));
  if (leaving.length === 0) return null;
  return {
    event: 'stillDraining',
    stopping: state === 'stopping',
    workers: leaving.length,
    requests: sum(leaving.map(({ draining }) => draining?.requests ?? null)),
    connections: sum(leaving.map(({ draining }) => draining?.connections ?? null)),
    cleaningUp: sum(
      leaving.map(({ draining }) => {
        const isCleaningUp = draining?.isCleaningUp ?? null;
        return isCleaningUp === null ? null : Number(isCleaningUp);
      }),
    ),
    leftMs: Math.max(...leaving.map(({ draining }) => draining?.leftMs ?? 0)),
  };
}

const leavingStates: ReadonlySet<string> = new Set<WorkerPhase>(['draining', 'terminating', 'killing']);

function sum(counts: readonly (number | null)[]): number | null {
  return counts.reduce<number | null>(
    (total, one) => (total === null || one === null ? null : total + one),
    0,
  );
}
