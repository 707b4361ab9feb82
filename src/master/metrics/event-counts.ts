/**
 * What /metrics counts: plain numbers, derived from events in this one place, so that they count from the start, even before the first
 * request. A few additions for each event, and no timer. Pure.
 */
import type { EventRecord, Failure, ReplacementCause, WorkerFailureReason } from '../../shared/events.ts';

/** A histogram of durations: how many there were, and how long they took. */
export interface DurationCounts {
  /** How many took at most each of `bounds`, in their order; then how many there were in all. */
  readonly upTo: readonly number[];
  readonly sumSeconds: number;
}

export interface ProgramCounts {
  /** Generations that were started while none served. */
  readonly starts: Readonly<Record<'succeeded' | 'failed', number>>;
  readonly reloads: Readonly<Record<ReloadOutcome, number>>;
  /** The times of reloads that succeeded, from the start of a generation until it serves. */
  readonly reloadTimes: DurationCounts;
  /** The times of drains, from the order to drain until the exit. */
  readonly drainTimes: DurationCounts;
  /** Workers that ended unexpectedly, or could not be started. */
  readonly failures: Readonly<Record<WorkerFailureReason, number>>;
  /** Restarts of failed workers that were scheduled. */
  readonly restarts: number;
  /** Runs of a scheduled program by their outcome, and times at which no run began. Empty before the first one. */
  readonly runs: Readonly<Partial<Record<RunOutcome, number>>>;
  /** Workers that were replaced although they were ready, by reason. */
  readonly replacements: Readonly<Record<ReplacementCause['reason'], number>>;
  /** Workers that gave no sign of life. */
  readonly hangs: number;
  /** Workers that got SIGKILL. */
  readonly kills: number;
  /** Connections of workers that drained, as these have reported them: migrated, drained and cut. */
  readonly migrated: number;
  readonly drained: number;
  readonly cut: number;
}

const runOutcomes = ['succeeded', 'failed', 'timed_out', 'replaced', 'stopped', 'skipped', 'missed'] as const;
type RunOutcome = (typeof runOutcomes)[number];
const noRuns = Object.fromEntries(runOutcomes.map((outcome) => [outcome, 0]));

export const reloadOutcomes = ['succeeded', 'failed', 'rolled_back'] as const;
export type ReloadOutcome = (typeof reloadOutcomes)[number];

/** Upper bounds of the histograms, in seconds. */
export const bounds: readonly number[] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

export interface CountsRecord {
  readonly programs: readonly {
    readonly name: string;
    readonly counts: ProgramCounts;
    /** Whether a generation serves, so that the next one is a reload. */
    readonly isServing: boolean;
    /** The draining workers, each with how long it has drained before its present state, in ms. */
    readonly drains: readonly (readonly [worker: string, durationMs: number])[];
  }[];
  /** Removed programs whose end is still to come. */
  readonly removed: readonly string[];
}

export interface Counts {
  observe(event: EventRecord): void;
  /** The counts of each program, by its name. */
  all(): ReadonlyMap<string, ProgramCounts>;
  /** All that is known, as plain data. */
  record(): CountsRecord;
  /** Takes over the counts of the previous image of this process. */
  resume(before: CountsRecord): void;
}

const noTimes: DurationCounts = { upTo: [...bounds, Infinity].map(() => 0), sumSeconds: 0 };

const nothing: ProgramCounts = {
  starts: { succeeded: 0, failed: 0 },
  reloads: { succeeded: 0, failed: 0, rolled_back: 0 },
  reloadTimes: noTimes,
  drainTimes: noTimes,
  failures: { exited: 0, notReady: 0, notAdmitted: 0, notStarted: 0 },
  runs: {},
  restarts: 0,
  replacements: { maxMemory: 0, maxLifetime: 0, maxRequests: 0, watchdog: 0 },
  hangs: 0,
  kills: 0,
  migrated: 0,
  drained: 0,
  cut: 0,
};

interface Known {
  counts: ProgramCounts;
  /** Whether a generation serves, so that the next one is a reload. */
  isServing: boolean;
  /** For each draining worker, how long it has drained before its present state, in ms. */
  readonly drains: Map<string, number>;
}

export function createCounts(): Counts {
  const programs = new Map<string, Known>();
  /** Removed programs whose end is still to come. */
  const removed = new Set<string>();

  function plan({ added, removed: names }: Extract<EventRecord, { readonly event: 'planChanged' }>): void {
    for (const name of added) removed.delete(name);
    for (const name of names) {
      programs.delete(name);
      removed.add(name);
    }
  }

  function of(program: string): Known {
    const known = programs.get(program) ?? { counts: nothing, isServing: false, drains: new Map() };
    programs.set(program, known);
    return known;
  }

  return {
    observe(event) {
      if (event.event === 'planChanged') plan(event);
      else if (removed.has(event.program)) {
        if (event.event === 'stopped') removed.delete(event.program);
      } else if (isCounted(event)) count(of(event.program), event);
    },
    record: () => ({
      programs: [...programs].map(([name, { drains, ...known }]) => ({
        name,
        ...known,
        drains: [...drains],
      })),
      removed: [...removed],
    }),
    resume(before) {
      for (const { name, drains, ...known } of before.programs)
        programs.set(name, { ...known, drains: new Map(drains) });
      for (const name of before.removed) removed.add(name);
    },
    all: () => new Map([...programs].map(([name, { counts }]) => [name, counts])),
  };
}

/** The events that are counted. */
const counted = [
  'generationReady',
  'generationSettled',
  'generationRolledBack',
  'generationFailed',
  'stopped',
  'restartScheduled',
  'runEnded',
  'runSkipped',
  'runsMissed',
  'workerReplaced',
  'workerHung',
  'workerFailed',
  'workerDraining',
  'workerTerminated',
  'workerKilled',
  'workerExited',
] as const;

type Counted = Extract<EventRecord, { readonly event: (typeof counted)[number] }>;

const names: ReadonlySet<string> = new Set(counted);

function isOfWorker(
  reason: Failure['reason'],
  failures: ProgramCounts['failures'],
): reason is WorkerFailureReason {
  return reason in failures;
}

function isCounted(event: EventRecord): event is Counted {
  return names.has(event.event);
}

function count(known: Known, event: Counted): void {
  const { counts } = known;
  const add = (more: Partial<ProgramCounts>): void => {
    known.counts = { ...known.counts, ...more };
  };
  const reloaded = (result: ReloadOutcome): void => {
    add({ reloads: { ...known.counts.reloads, [result]: known.counts.reloads[result] + 1 } });
  };
  const ran = (result: RunOutcome, times = 1): void => {
    add({ runs: { ...noRuns, ...counts.runs, [result]: (counts.runs[result] ?? 0) + times } });
  };
  switch (event.event) {
    case 'runEnded':
      ran(event.result === 'timedOut' ? 'timed_out' : event.result);
      return;
    case 'runSkipped':
      ran('skipped');
      return;
    case 'runsMissed':
      ran('missed', event.count);
      return;
    case 'generationReady':
      if (!known.isServing) {
        add({ starts: { ...counts.starts, succeeded: counts.starts.succeeded + 1 } });
        known.isServing = true;
        return;
      }
      add({ reloadTimes: withDuration(counts.reloadTimes, event.durationMs) });
      // A generation on probation may still be rolled back.
      if (event.probationMs === 0) reloaded('succeeded');
      return;
    case 'generationSettled':
      reloaded('succeeded');
      return;
    case 'generationRolledBack':
      reloaded('rolled_back');
      return;
    case 'generationFailed':
      if (known.isServing) reloaded('failed');
      else add({ starts: { ...counts.starts, failed: counts.starts.failed + 1 } });
      return;
    case 'stopped':
      known.isServing = false;
      return;
    case 'restartScheduled':
      add({ restarts: counts.restarts + 1 });
      return;
    case 'workerReplaced': {
      const { reason } = event.cause;
      add({ replacements: { ...counts.replacements, [reason]: counts.replacements[reason] + 1 } });
      return;
    }
    case 'workerHung':
      add({ hangs: counts.hangs + 1 });
      return;
    case 'workerFailed': {
      const { reason } = event.failure;
      if (isOfWorker(reason, counts.failures))
        add({ failures: { ...counts.failures, [reason]: counts.failures[reason] + 1 } });
      known.drains.delete(keyOf(event));
      return;
    }
    case 'workerDraining':
      known.drains.set(keyOf(event), 0);
      return;
    case 'workerTerminated':
      lasted(known, event);
      return;
    case 'workerKilled':
      lasted(known, event);
      add({ kills: counts.kills + 1 });
      return;
    case 'workerExited': {
      lasted(known, event);
      const drainMs = known.drains.get(keyOf(event));
      known.drains.delete(keyOf(event));
      add({
        migrated: counts.migrated + (event.migrated ?? 0),
        drained: counts.drained + (event.drained ?? 0),
        cut: counts.cut + (event.cut ?? 0),
        ...(drainMs === undefined ? {} : { drainTimes: withDuration(counts.drainTimes, drainMs) }),
      });
      return;
    }
  }
}

type WorkerEvent = Extract<EventRecord, { readonly durationMs: number; readonly slot: number }>;

/** Adds the time that a draining worker has spent in the state that it leaves. */
function lasted({ drains }: Known, event: WorkerEvent): void {
  const before = drains.get(keyOf(event));
  if (before !== undefined) drains.set(keyOf(event), before + event.durationMs);
}

function keyOf({ generation, slot, pid }: WorkerEvent): string {
  return `${generation}.${slot}.${pid ?? ''}`;
}

function withDuration({ upTo, sumSeconds }: DurationCounts, durationMs: number): DurationCounts {
  const seconds = durationMs / 1_000;
  return {
    upTo: upTo.map((count, index) => (seconds <= (bounds[index] ?? Infinity) ? count + 1 : count)),
    sumSeconds: sumSeconds + seconds,
  };
}
