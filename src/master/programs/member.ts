/** A program of a master, and what is wanted of it. */
import type { ReloadResult } from '../../shared/control-api.ts';
import type { Deferred } from '../deferred.ts';
import type { ProgramRecord } from '../handover/record.ts';
import type { ManagedProgram } from '../program/managed-program.ts';
import type { ScheduleState } from './schedule/schedule-step.ts';
import { type Dependent, rankOf } from './start-order.ts';

export interface Member {
  readonly program: ManagedProgram;
  /** Whether the program is to run: it was started, and it was not stopped since. */
  isWanted: boolean;
  /** Whether the program is to be started as soon as those that it depends on serve. */
  isDue: boolean;
  /** Whether the program has no worker and no listener, and is not about to get any. */
  isResting: boolean;
  /** Whether the program is being looked up and bound: the result decides whether it rests. */
  isBinding: boolean;
  /** Whether the program stops in order to be started again with another plan: then the first stop of an operator does not count as a second one. */
  isSuspended: boolean;
  /** Whether its listeners are held while it is stopped, because it is about to be started again. */
  keepsListeners: boolean;
  /** Callers that wait for a start of this program: for the start that is due, or else for the last one that has begun. */
  starts: Deferred<StartOutcome>[];
  /** Resolves when the program rests. Replaced at every start. */
  rest: Deferred<undefined>;
  /** The state of the schedule, or null if the program does not run by one, or has not yet. */
  schedule: ScheduleState | null;
}

/** How a start ended. An error if the program was stopped first. */
export type StartOutcome = ReloadResult | Error;

/** Waits for a start. Resolves to its result or, if the program was stopped first, to the error that says so. */
export async function settledStart(start: Promise<ReloadResult>): Promise<StartOutcome> {
  try {
    return await start;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The result of a start. Throws the error of one that was stopped first. */
export function resultOf(outcome: StartOutcome): ReloadResult {
  if (outcome instanceof Error) throw outcome;
  return outcome;
}

export function isScheduled({ program }: Pick<Member, 'program'>): boolean {
  return program.plan().schedule !== null;
}

/** Whether a program is wanted to run, and has come to rest by itself: it was given up, or its workers have ended and are not to be started again. */
export function hasEnded(member: Member): boolean {
  const { isWanted, isResting, isDue } = member;
  return isWanted && isResting && !isDue && !isScheduled(member);
}

/** Whether a program is wanted to run, and was given up. */
export function hasFailed(member: Member): boolean {
  return hasEnded(member) && member.program.phase() === 'failed';
}

/** Whether the program was neither started nor stopped since the master began. */
export function isUntouched({ program, isWanted, isDue }: Member): boolean {
  return !isWanted && !isDue && program.phase() === 'idle';
}

/** Whether programs that depend on this one can be started: it serves or, if it runs once, has ended as expected. */
export function isDone({ program }: Member): boolean {
  return program.plan().kind.type === 'oneshot' ? program.hasExitedAsExpected() : program.isServing();
}

/** What decides the order in which programs start and stop. */
export function dependentsOf(members: readonly Member[]): readonly Dependent[] {
  return members.map(({ program }) => ({
    name: program.name(),
    dependsOn: program.plan().dependsOn,
    priority: rankOf(program.plan()),
  }));
}

/** Sorts programs in the order in which they begin to start. */
export function byPriority(members: readonly Member[]): readonly Member[] {
  return [...members].sort((one, other) => rankOf(one.program.plan()) - rankOf(other.program.plan()));
}

/** What begins anew in another master: a start that is under way, with those that wait for it. */
type NotRecorded = 'program' | 'isBinding' | 'starts' | 'rest';

/** By its type, nothing that is known of a member can be forgotten. */
export function recordOf(member: Member): ProgramRecord & Readonly<Omit<Member, NotRecorded>> {
  const { program, isWanted, isDue, isResting, isSuspended, keepsListeners, schedule } = member;
  const kept = program.keptLines();
  return { ...program.record(), kept, isWanted, isDue, isResting, isSuspended, keepsListeners, schedule };
}
