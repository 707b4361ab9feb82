/**
 * What happened to a program, as far as later questions need it: how the last reload ended, why a worker crashed last, which workers are
 * there, and which of the old ones may still accept. Plain data, derived from the events in one place. Pure.
 */
import type { ReloadResult, WorkerCrash } from '../../../shared/control-api.ts';
import type { MasterEvent, WorkerIdentity } from '../../../shared/events.ts';

export interface History {
  /** The result of the last reload. First it says that the generation serves, and in the end whether it has proved itself. */
  readonly lastReload: ReloadResult | null;
  /** The last crash of a worker whose generation serves, or has served. A generation that did not prove itself is a failed reload instead. */
  readonly lastCrash: WorkerCrash | null;
  /** The newest generation that serves or has served, unless it was rolled back. */
  readonly serving: number | null;
  /** The workers that have a process. */
  readonly workers: readonly KnownWorker[];
}

export interface KnownWorker {
  readonly pid: number;
  readonly generation: number;
  /**
   * Whether the worker takes new connections. `told`: it was told to stop and has not confirmed that. If it is stuck, it may accept once more when it
   * wakes up.
   */
  readonly accepting: 'yes' | 'told' | 'no';
  /** Whether the worker was told to accept again before it had confirmed that it stopped: then its next confirmation is about the past. */
  readonly isBehind: boolean;
}

export const emptyHistory: History = { lastReload: null, lastCrash: null, serving: null, workers: [] };

/** The history after `event`, which happened at `wallMs` (ms since 1970). */
export function remember(history: History, event: MasterEvent, wallMs: number): History {
  return {
    serving: servingAfter(history, event),
    lastReload: reloadAfter(history, event, wallMs) ?? history.lastReload,
    lastCrash: crashAfter(history, event, wallMs) ?? history.lastCrash,
    workers: workersAfter(history, event),
  };
}

/** Whether a worker that was told to stop accepting may still accept. */
export function mayOldWorkersAccept({ workers }: History): boolean {
  return workers.some(({ accepting }) => accepting === 'told');
}

/** Whether a worker of an earlier generation is left. */
export function areOlderWorkersLeft({ workers }: History, generation: number): boolean {
  return workers.some((worker) => worker.generation < generation);
}

function servingAfter({ serving }: History, event: MasterEvent): number | null {
  if (event.event === 'generationReady') return event.generation;
  return event.event === 'generationRolledBack' ? event.to : serving;
}

function reloadAfter({ lastReload }: History, event: MasterEvent, endedAt: number): ReloadResult | null {
  const verdict = {
    endedAt,
    ok: true,
    failure: null,
    probationMs: 0,
    serving: null,
    rolledBackTo: null,
    remaining: 0,
  };
  if (event.event === 'generationReady') {
    const { generation, durationMs, probationMs, release } = event;
    return { ...verdict, generation, serving: generation, durationMs, probationMs, release };
  }
  if (event.event === 'generationSettled')
    return lastReload === null ? null : { ...lastReload, endedAt, probationMs: 0 };
  if (event.event === 'generationFailed') {
    const { generation, durationMs, failure, serving, release } = event;
    return { ...verdict, ok: false, generation, serving, durationMs, failure, release };
  }
  if (event.event === 'startRefused')
    return { ...verdict, ok: false, generation: 0, durationMs: 0, failure: event.failure, release: null };
  if (event.event === 'generationRolledBack') {
    const { generation, durationMs, failure, to, remaining, release } = event;
    const back = { serving: to, rolledBackTo: to, remaining };
    return { ...verdict, ...back, ok: false, generation, durationMs, failure, release };
  }
  return null;
}

function crashAfter({ serving }: History, event: MasterEvent, endedAt: number): WorkerCrash | null {
  const failure = crashOf(event);
  if (failure === null || !isAboutWorker(event) || serving === null || event.generation > serving)
    return null;
  const { generation, slot, pid } = event;
  return { generation, slot, pid, endedAt, failure };
}

function crashOf(event: MasterEvent): WorkerCrash['failure'] | null {
  const { event: name } = event;
  if (name === 'workerFailed' || name === 'workerRestartedItself' || name === 'workerLostProgram')
    return event.failure;
  return name === 'workerExited' ? event.failure : null;
}

function workersAfter({ workers }: History, event: MasterEvent): readonly KnownWorker[] {
  if (!isAboutWorker(event) || event.pid === null) return workers;
  const { event: name, pid, generation } = event;
  if (name === 'workerStarted') return [...workers, { pid, generation, accepting: 'yes', isBehind: false }];
  if (name === 'workerAdopted')
    return workers.map((one) => (one.pid === event.before ? { ...one, pid } : one));
  if (name === 'workerExited' || name === 'workerFailed') return workers.filter((one) => one.pid !== pid);
  return workers.map((one) => (one.pid === pid ? { ...one, ...acceptingAfter(one, name) } : one));
}

function acceptingAfter(
  { accepting, isBehind }: KnownWorker,
  name: MasterEvent['event'],
): Partial<KnownWorker> {
  // A worker that was signalled may have confirmed long before it is told to drain.
  if (name === 'workerPaused' || name === 'workerDraining')
    return { accepting: accepting === 'no' ? 'no' : 'told' };
  if (name === 'workerAcceptsNoMore') return isBehind ? { isBehind: false } : { accepting: 'no' };
  if (name === 'workerResumed') return { accepting: 'yes', isBehind: accepting === 'told' };
  // The worker keeps accepting until it drains.
  return name === 'workerNotPaused' ? { isBehind: false } : {};
}

type WorkerEvent = Extract<MasterEvent, WorkerIdentity>;

function isAboutWorker(event: MasterEvent): event is WorkerEvent {
  return 'slot' in event && 'pid' in event;
}
