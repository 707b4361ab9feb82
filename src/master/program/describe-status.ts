/** The program's state as the control API shows it. Pure. */
import type {
  DrainingStatus,
  LoadStatus,
  MasterStatus,
  ProgramState,
  RolloutStatus,
  ShownPhase,
  Status,
} from '../../shared/control-api.ts';
import type { OpenCounts, WorkerLoad } from '../../shared/protocol.ts';
import type { OwnRecord, ProcessRecord } from '../handover/record.ts';
import type { DrainProgressEvent } from './drain-progress.ts';
import { otherReleaseIn, releaseOf } from './history/known-releases.ts';
import {
  candidateGeneration,
  isAccepting,
  isLeaving,
  isResting,
  servingGeneration,
  type Program,
  type Worker,
} from './lifecycle/state.ts';
import { isOrderly } from './lifecycle/restart-policy.ts';
import type { Served } from './worker-loads.ts';
import { addressFields } from '../../shared/format-address.ts';

/** What a program's status needs in addition to the program's own record. */
export interface StatusContext extends Pick<
  Status,
  'group' | 'isWanted' | 'schedule' | 'waitsFor' | 'orphans'
> {
  readonly master: MasterStatus;
  /** Whether the program is being looked up and bound, or will be as soon as its last workers are gone. */
  readonly isAboutToStart: boolean;
  /** The answer of a draining worker to the latest question; null if there is none. */
  readonly openOf: (worker: number) => OpenCounts | null;
  /** What the workers have answered about their load, or null if that was not asked for. */
  readonly load: { readonly of: (worker: number) => WorkerLoad | null; readonly served: Served } | null;
  readonly at: number;
}

export function describeStatus(
  record: OwnRecord,
  { master, group, isWanted, schedule, waitsFor, isAboutToStart, orphans, openOf, load, at }: StatusContext,
): Status {
  const { lifecycle: program, releases, versions } = record;
  const latest = versions.at(-1);
  const current = servingGeneration(program);
  const generation = current?.number ?? null;
  const own = isAboutToStart && isResting(program) ? 'starting' : phaseOf(program);
  const isScheduled =
    own !== 'starting' && isResting(program) && schedule !== null && schedule.nextAt !== null;
  const phase = isScheduled ? 'scheduled' : own;
  return {
    program: record.name,
    group,
    type: latest?.plan.kind.type ?? 'server',
    state: stateOf(own, program),
    phase,
    isWanted,
    waitsFor,
    rollout: rolloutOf(program, at),
    probation:
      program.phase === 'probation'
        ? { previous: program.previous.number, remainingMs: Math.max(0, Math.round(program.until - at)) }
        : null,
    errors: record.errors,
    generation,
    release: generation === null ? null : releaseOf(releases, generation),
    command: latest?.plan.command ?? [],
    master,
    listeners: (latest?.listeners ?? []).map(({ name, address, slots }) => ({
      name,
      ...addressFields(address),
      reusePort: slots !== null,
    })),
    workersWanted: program.workersWanted,
    workers: program.workers.map((worker) => ({
      generation: worker.generation,
      slot: worker.slot,
      pid: worker.pid,
      servingPid: servingPidOf(worker, record.workers),
      state: worker.phase,
      isAccepting: isAccepting(worker),
      isHung: worker.isHung,
      capabilities: worker.readyAt === null ? null : worker.capabilities,
      inStateMs: Math.max(0, Math.round(at - worker.phaseSince)),
      uptimeMs: Math.max(0, Math.round(at - worker.startedAt)),
      otherRelease: otherReleaseIn(releases, worker.generation, worker.slot),
      draining: drainingOf(worker, openOf(worker.id), at),
      load: load === null ? null : loadStatus(openOf(worker.id), load.of(worker.id)),
    })),
    restarts: (current?.slots ?? []).flatMap(({ index, failures, restartAt }) =>
      restartAt === null ? [] : [{ slot: index, failures, inMs: Math.max(0, Math.round(restartAt - at)) }],
    ),
    orphans,
    emptySlots: (current?.slots ?? []).flatMap(({ index, rest }) =>
      rest === null ? [] : [{ slot: index, outcome: rest.outcome, isGivenUp: rest.failure !== null }],
    ),
    retry:
      program.phase === 'backoff'
        ? { failures: program.failures, inMs: Math.max(0, Math.round(program.retryAt - at)) }
        : null,
    exit:
      program.phase === 'exited'
        ? { ...program.outcome, isExpected: isOrderly(program.outcome, program.settings.restart) }
        : null,
    schedule,
    reloadPending: program.pendingSince !== null,
    load: load === null ? null : { served: load.served.requests, serverErrors: load.served.serverErrors },
    lastReload: record.history.lastReload,
    lastCrash: record.history.lastCrash,
  };
}

function rolloutOf(program: Program, at: number): RolloutStatus | null {
  if (program.phase !== 'reloading' || program.rollout.servesSince === null) return null;
  const { candidate, rollout, workers } = program;
  return {
    generation: candidate.number,
    serving: workers.filter((worker) => worker.generation === candidate.number && isAccepting(worker)).length,
    workers: candidate.slots.length,
    isCanary: rollout.isCanary,
    nextInMs: rollout.nextAt === null ? null : Math.max(0, Math.round(rollout.nextAt - at)),
  };
}

/** The present load of a worker; null if it has not answered the latest question. */
function loadStatus(open: OpenCounts | null, load: WorkerLoad | null): LoadStatus | null {
  if (open === null || load === null) return null;
  return { requests: open.requests, connections: open.connections, ...load };
}

function servingPidOf({ id, pid, readyAt }: Worker, processes: readonly ProcessRecord[]): number | null {
  const servingPid = processes.find((one) => one.id === id)?.servingPid ?? null;
  return readyAt === null || servingPid === pid ? null : servingPid;
}

function phaseOf(program: Program): Exclude<ShownPhase, 'scheduled'> {
  const { phase, workers } = program;
  if (servingGeneration(program) !== null && !workers.some(isAccepting)) return 'restarting';
  return phase === 'probation' ? 'serving' : phase;
}

const stateOfPhase: Readonly<Record<Exclude<ShownPhase, 'restarting' | 'scheduled'>, ProgramState>> = {
  idle: 'STOPPED',
  starting: 'STARTING',
  backoff: 'BACKOFF',
  serving: 'RUNNING',
  reloading: 'RUNNING',
  stopping: 'STOPPING',
  stopped: 'STOPPED',
  exited: 'EXITED',
  failed: 'FATAL',
};

/**
 * The state in Supervisor's words. While no worker accepts, it is STARTING if a worker is being started; otherwise EXITED if any of the ended workers was
 * ready before, and BACKOFF if none was.
 */
function stateOf(phase: Exclude<ShownPhase, 'scheduled'>, program: Program): ProgramState {
  if (phase !== 'restarting') return stateOfPhase[phase];
  const current = servingGeneration(program);
  const generations = [current?.number, candidateGeneration(program)?.number];
  const isStarting = program.workers.some(
    ({ generation, phase: own }) =>
      generations.includes(generation) && (own === 'starting' || own === 'ready'),
  );
  // If the generation has no slots, its workers have made room for new ones (max_surge = 0).
  if (isStarting || current?.slots.length === 0) return 'STARTING';
  return current?.slots.some(({ hasEndedReady }) => hasEndedReady) === true ? 'EXITED' : 'BACKOFF';
}

/** What a leaving worker still has open, and how long it may still take; null for a worker that stays. */
function drainingOf(
  { phase, phaseSince, extendedTo, ending }: Worker,
  open: OpenCounts | null,
  at: number,
): DrainingStatus | null {
  if (phase !== 'draining' && phase !== 'terminating') return null;
  const boundMs = extendedTo !== null ? extendedTo - phaseSince : (ending[0]?.waitMs ?? 0);
  return {
    leftMs: Math.max(0, Math.round(boundMs - (at - phaseSince))),
    requests: open?.requests ?? null,
    connections: open?.connections ?? null,
    isCleaningUp: open?.isCleaningUp ?? null,
  };
}

/** What a stop or a drain still waits for; null if it waits for nothing. */
export function describeDrain(
  program: Program,
  openOf: (worker: number) => OpenCounts | null,
  at: number,
): DrainProgressEvent | null {
  const leaving = program.workers.filter(isLeaving);
  if (leaving.length === 0) return null;
  const drains = leaving.map((worker) => drainingOf(worker, openOf(worker.id), at));
  return {
    event: 'stillDraining',
    // False if the program is being restarted, or if its workers ended by themselves: nobody has asked it to stop then.
    stopping: program.phase === 'stopping' && program.askedAt !== null && !program.keepsListeners,
    workers: leaving.length,
    requests: sum(drains.map((drain) => drain?.requests ?? null)),
    connections: sum(drains.map((drain) => drain?.connections ?? null)),
    cleaningUp: sum(
      drains.map((drain) => {
        const isCleaningUp = drain?.isCleaningUp ?? null;
        return isCleaningUp === null ? null : Number(isCleaningUp);
      }),
    ),
    leftMs: Math.max(...drains.map((drain) => drain?.leftMs ?? 0)),
  };
}

function sum(counts: readonly (number | null)[]): number | null {
  return counts.reduce<number | null>(
    (total, one) => (total === null || one === null ? null : total + one),
    0,
  );
}
