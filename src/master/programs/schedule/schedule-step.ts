/**
 * The schedule of one program: (state, input) -> (state, effects). It decides when a run is due, whether it begins, what happens to runs that were missed,
 * and how a run ended. Pure and total: a function gives the times of the schedule, and nothing here knows a clock, a timer or a process. Moments are those
 * of the wall clock, in ms since 1970; durations are measured on the clock that never goes back.
 */
import type { RunCause, RunResult } from '../../../shared/events.ts';
import type { EventWithoutRelease, Outcome } from '../../../shared/events.ts';
import type { SchedulePlan } from '../../config/options/schedule-options.ts';

/** The state of a schedule. It is plain data, because it has to survive the master's process. */
export interface ScheduleState {
  /** When the next run is due. Null if it never is, because the program is stopped, or the schedule has no time left. */
  readonly nextAt: number | null;
  /** The run that is under way, or null if there is none. */
  readonly run: Run | null;
  /** The cause of another run, which begins when the one under way has ended; null if there is none. */
  readonly pending: RunCause | null;
  readonly last: LastRun | null;
  /** The number of the last run. */
  readonly lastNumber: number;
}

export interface Run {
  readonly number: number;
  readonly cause: RunCause;
  readonly startedAt: number;
  /** The start of the run on the clock that never goes back. */
  readonly since: number;
  /** Why the schedule has told the run to end, or null if it has not. */
  readonly ending: 'timedOut' | 'replaced' | null;
}

export interface LastRun {
  readonly startedAt: number;
  readonly durationMs: number;
  readonly result: RunResult;
  /** How the run ended, or null if it could not be started, or was stopped. */
  readonly outcome: Outcome | null;
}

export const noSchedule: ScheduleState = {
  nextAt: null,
  run: null,
  pending: null,
  last: null,
  lastNumber: 0,
};

export type ScheduleInput =
  /** The program runs by this schedule from now on. `since`: when the previous master last looked for runs; null for the present time. */
  | { readonly type: 'enabled'; readonly since: number | null }
  /** The schedule does not apply any more. */
  | { readonly type: 'disabled' }
  /** The time of the next run may have come. `shiftMs`: by how much the clock was set in the meantime. */
  | { readonly type: 'due'; readonly shiftMs: number }
  /** The program has begun to start. */
  | { readonly type: 'began' }
  /** The run has taken too long. */
  | { readonly type: 'timedOut'; readonly run: number }
  /** The program has come to rest. `isExpected`: its work is done. `outcome`: null if it was stopped, or did not start (`hasFailed`). */
  | {
      readonly type: 'ended';
      readonly run: number;
      readonly outcome: Outcome | null;
      readonly isExpected: boolean;
      readonly hasFailed: boolean;
      /** When the last process was gone, on the clock that never goes back: hooks may have run since. */
      readonly endedAt: number;
    }
  /** The program rests, whatever the result of this run is. */
  | { readonly type: 'rested'; readonly run: number };

export type ScheduleEffect =
  /** Give the input `due` at this time of the wall clock. It replaces the time that was armed before. */
  | { readonly type: 'arm'; readonly at: number }
  | { readonly type: 'disarm' }
  | { readonly type: 'armTimeout'; readonly run: number; readonly delayMs: number }
  | { readonly type: 'disarmTimeout' }
  | { readonly type: 'startRun'; readonly run: number }
  | { readonly type: 'stopRun' }
  /** Note that all runs up to the present time have been handled. */
  | { readonly type: 'seen' }
  | { readonly type: 'announce'; readonly event: EventWithoutRelease };

/** What a step gets in addition to its input. */
export interface ScheduleFacts {
  readonly plan: SchedulePlan;
  /** The first time of the schedule after a given one; null if there is none. */
  readonly next: (after: number) => number | null;
  /** Programs that this one depends on and that do not serve. */
  readonly waitsFor: readonly string[];
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export interface ScheduleStep {
  readonly state: ScheduleState;
  readonly effects: readonly ScheduleEffect[];
}

/** How late a run may begin. A later one has been missed, because the machine slept, or its clock was set. */
export const lateMs = 60_000;

/** How far the clock may be set back so that no run is repeated. If it is set back further, it was wrong, and its new time counts. cron(8) does the same. */
export const repeatedMs: number = 3 * 3_600_000;

/** How many missed runs are counted. */
const mostMissed = 100;

export function stepSchedule(state: ScheduleState, input: ScheduleInput, facts: ScheduleFacts): ScheduleStep {
  const out: ScheduleEffect[] = [];
  return { state: change(state, input, facts, out), effects: out };
}

function change(
  state: ScheduleState,
  input: ScheduleInput,
  facts: ScheduleFacts,
  out: ScheduleEffect[],
): ScheduleState {
  switch (input.type) {
    case 'enabled':
      return enable(state, input.since, facts, out);
    case 'disabled':
      out.push({ type: 'disarm' });
      return { ...state, nextAt: null, pending: null };
    case 'due':
      return lookAtClock(state, input.shiftMs, facts, out);
    case 'began':
      if (state.run === null) return beginRun(state, 'request', facts, out);
      // The run was told to end before the program had anything that could be ended.
      if (state.run.ending !== null) out.push({ type: 'stopRun' });
      return state;
    case 'timedOut':
      return timeOut(state, input.run, facts, out);
    case 'ended':
      return state.run?.number === input.run
        ? endRun({ ...state, run: state.run }, input, facts, out)
        : state;
    case 'rested':
      return state.run?.number === input.run
        ? endRun(
            { ...state, run: state.run },
            { outcome: null, isExpected: false, hasFailed: false, endedAt: facts.monotonicMs },
            facts,
            out,
          )
        : state;
  }
}

function enable(
  state: ScheduleState,
  since: number | null,
  facts: ScheduleFacts,
  out: ScheduleEffect[],
): ScheduleState {
  const { wallMs, next } = facts;
  if (state.run !== null) boundRun(state.run, facts, out);
  const missed = since === null || since > wallMs ? null : next(since);
  if (missed !== null && missed <= wallMs) return takeDue({ ...state, nextAt: missed }, missed, facts, out);
  out.push({ type: 'seen' });
  return planNext(state, facts, out);
}

function planNext(
  state: ScheduleState,
  { next, wallMs }: ScheduleFacts,
  out: ScheduleEffect[],
): ScheduleState {
  const nextAt = next(wallMs);
  out.push(nextAt === null ? { type: 'disarm' } : { type: 'arm', at: nextAt });
  return { ...state, nextAt };
}

function lookAtClock(
  state: ScheduleState,
  shiftMs: number,
  facts: ScheduleFacts,
  out: ScheduleEffect[],
): ScheduleState {
  const { nextAt } = state;
  if (nextAt === null) return state;
  if (facts.wallMs >= nextAt) return takeDue(state, nextAt, facts, out);
  if (shiftMs <= -repeatedMs) {
    out.push({ type: 'seen' });
    return planNext(state, facts, out);
  }
  out.push({ type: 'arm', at: nextAt });
  return state;
}

/** Handles the time `dueAt`, and others that may have passed after it. */
function takeDue(
  state: ScheduleState,
  dueAt: number,
  facts: ScheduleFacts,
  out: ScheduleEffect[],
): ScheduleState {
  const { wallMs, next, plan } = facts;
  out.push({ type: 'seen' });
  // The last of these times may be recent enough to be on time.
  const onTime = next(Math.max(dueAt - 1, wallMs - lateMs));
  const isOnTime = onTime !== null && onTime <= wallMs;
  const missed = missedBefore(dueAt, isOnTime ? onTime : wallMs + 1, next);
  const planned = planNext(state, facts, out);
  const isMadeUp = !isOnTime && missed > 0 && plan.ifMissed === 'run';
  if (missed > 0)
    out.push({ type: 'announce', event: { event: 'runsMissed', count: missed, firstAt: dueAt, isMadeUp } });
  if (isOnTime) return begin(planned, 'schedule', onTime, facts, out);
  return isMadeUp ? begin(planned, 'missed', dueAt, facts, out) : planned;
}

/** How many times there are from `first` on and before `end`, up to the limit. */
function missedBefore(first: number, end: number, next: ScheduleFacts['next']): number {
  let count = 0;
  for (let at: number | null = first; at !== null && at < end && count < mostMissed; at = next(at))
    count += 1;
  return count;
}

function begin(
  state: ScheduleState,
  cause: RunCause,
  dueAt: number,
  facts: ScheduleFacts,
  out: ScheduleEffect[],
): ScheduleState {
  const { plan } = facts;
  const { run } = state;
  if (run === null) return start(state, cause, facts, out);
  if (plan.ifRunning === 'skip' || state.pending !== null) {
    const event = { event: 'runSkipped', reason: 'stillRunning', dueAt, programs: [] } as const;
    out.push({ type: 'announce', event });
    return state;
  }
  if (plan.ifRunning === 'wait' || run.ending !== null) return { ...state, pending: cause };
  out.push({ type: 'disarmTimeout' }, { type: 'stopRun' });
  return { ...state, pending: cause, run: { ...run, ending: 'replaced' } };
}

/** Starts a run, unless a program that it depends on does not serve. */
function start(
  state: ScheduleState,
  cause: RunCause,
  facts: ScheduleFacts,
  out: ScheduleEffect[],
): ScheduleState {
  const { waitsFor, wallMs } = facts;
  if (waitsFor.length > 0) {
    const event = { event: 'runSkipped', reason: 'dependency', dueAt: wallMs, programs: waitsFor } as const;
    out.push({ type: 'announce', event });
    return state;
  }
  const begun = beginRun(state, cause, facts, out);
  out.push({ type: 'startRun', run: begun.lastNumber });
  return begun;
}

function beginRun(
  state: ScheduleState,
  cause: RunCause,
  facts: ScheduleFacts,
  out: ScheduleEffect[],
): ScheduleState {
  const { plan, wallMs, monotonicMs } = facts;
  const number = state.lastNumber + 1;
  const run: Run = { number, cause, startedAt: wallMs, since: monotonicMs, ending: null };
  if (plan.runTimeoutMs !== null) boundRun(run, facts, out);
  out.push({ type: 'announce', event: { event: 'runStarted', cause } });
  return { ...state, run, lastNumber: number };
}

/** Ends the run in time: its limit is that of the present plan, which may have changed since it began. */
function boundRun(run: Run, { plan, monotonicMs }: ScheduleFacts, out: ScheduleEffect[]): void {
  if (run.ending !== null) return;
  if (plan.runTimeoutMs === null) {
    out.push({ type: 'disarmTimeout' });
    return;
  }
  const delayMs = Math.max(0, plan.runTimeoutMs - (monotonicMs - run.since));
  out.push({ type: 'armTimeout', run: run.number, delayMs });
}

function timeOut(
  state: ScheduleState,
  number: number,
  { plan, monotonicMs }: ScheduleFacts,
  out: ScheduleEffect[],
): ScheduleState {
  const { run } = state;
  if (run?.number !== number || run.ending !== null) return state;
  const durationMs = Math.round(monotonicMs - run.since);
  const timeoutMs = plan.runTimeoutMs ?? durationMs;
  out.push({ type: 'announce', event: { event: 'runTimedOut', timeoutMs, durationMs } }, { type: 'stopRun' });
  return { ...state, run: { ...run, ending: 'timedOut' } };
}

function endRun(
  state: ScheduleState & { readonly run: Run },
  end: Pick<Extract<ScheduleInput, { type: 'ended' }>, 'outcome' | 'isExpected' | 'hasFailed' | 'endedAt'>,
  facts: ScheduleFacts,
  out: ScheduleEffect[],
): ScheduleState {
  const { run, nextAt, pending } = state;
  const { outcome } = end;
  const result = run.ending ?? resultOf(end);
  const durationMs = Math.max(0, Math.round(end.endedAt - run.since));
  out.push(
    { type: 'disarmTimeout' },
    { type: 'announce', event: { event: 'runEnded', result, outcome, durationMs, nextAt } },
  );
  const last: LastRun = { startedAt: run.startedAt, durationMs, result, outcome };
  const ended = { ...state, run: null, pending: null, last };
  // A program that an operator has stopped does not begin again by itself at once.
  return pending === null || result === 'stopped' ? ended : start(ended, pending, facts, out);
}

function resultOf({
  outcome,
  isExpected,
  hasFailed,
}: Pick<Extract<ScheduleInput, { type: 'ended' }>, 'outcome' | 'isExpected' | 'hasFailed'>): RunResult {
  if (outcome === null) return hasFailed ? 'failed' : 'stopped';
  return isExpected ? 'succeeded' : 'failed';
}
