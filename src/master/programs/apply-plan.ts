/**
 * Applies a changed plan to the programs that run: each one gets the least that its change needs, and the others are not touched. Everything
 * that can be refused is found out before anything is changed.
 */
import type { PlanDifference, ProgramChange, UpdatedProgram } from '../../shared/control-api.ts';
import { reasonOf } from '../../shared/describe-failure.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Cause } from '../../shared/events.ts';
import { areExcluded, goingListeners } from '../config/difference.ts';
import type { CheckedPrograms } from '../check/check-programs.ts';
import type { Plan, ProgramPlan } from '../config/plan.ts';
import type { PlanPlaces } from '../config/plan-places.ts';
import { planInvalid } from '../config/plan-invalid.ts';
import { deferred } from '../deferred.ts';
import type { PreparedVersion } from '../program/versions.ts';
import { hasEnded, hasFailed, isScheduled, isUntouched, type Member, type StartOutcome } from './member.ts';
import type { UnpreparedProgram } from './bind-problems.ts';
import type { ProgramSet } from './program-set.ts';
import { dependentsFirst } from './start-order.ts';

/** A change of the plan, with what its check needs. */
export interface CheckedChange {
  readonly after: Plan;
  readonly difference: PlanDifference;
  /** The places at which the values of `after` are written. */
  readonly places: PlanPlaces;
  /** The environment in which programs are started. */
  readonly environment: NodeJS.ProcessEnv;
}

export interface PlanChange extends CheckedChange {
  readonly before: Plan;
  readonly cause: Cause;
  /** Whether an operator has stopped the program, before this master was started. */
  readonly wasStopped: (program: string) => boolean;
}

/**
 * Checks the added and changed programs as `graceful-run --check` does, and changes nothing. Their addresses are not tried, because that would bind them.
 * Errors: `planInvalid`, with everything that is wrong.
 */
export async function checkChange(change: CheckedChange): Promise<void> {
  const { problems } = await check(change);
  if (problems.length > 0) throw planInvalid(change.after.master.file, problems);
}

async function check({ after, difference, places, environment }: CheckedChange): Promise<CheckedPrograms> {
  // Loaded only here: a master that is not updated does not need it.
  const { checkPrograms } = await import('../check/check-programs.ts');
  const planOf = plansOf(after);
  const names = [...difference.added, ...difference.changed.map(({ program }) => program)];
  return checkPrograms(new Map(names.map((name) => [name, planOf(name)])), environment, {
    file: after.master.file,
    places,
  });
}

/**
 * Applies the change. Resolves when every program that the difference names has done what the new plan wants, or has failed to. `onBegun` is called when
 * nothing can be refused any more. Errors: `planInvalid`, and what `onBegun` throws; then everything is as it was.
 */
export async function applyPlan(
  set: ProgramSet,
  planChange: PlanChange,
  onBegun: () => void,
): Promise<readonly UpdatedProgram[]> {
  const { before, after, difference, cause } = planChange;
  const planOf = plansOf(after);
  /** Whether the program's `autostart` has become true, and it was neither started nor stopped. */
  const isToBegin = ({ program, keys }: ProgramChange): boolean =>
    keys.includes('autostart') &&
    planOf(program).autostart &&
    isUntouched(set.find(program)) &&
    !planChange.wasStopped(program);
  const { faulty, problems: found } = await check(planChange);
  const going = goingListeners(before, after);

  const added: { readonly member: Member; readonly isBound: boolean }[] = [];
  const prepared = new Map<string, PreparedVersion>();
  const unprepared: UnpreparedProgram[] = [];
  const attempt = async (name: string, action: () => Promise<void>): Promise<void> => {
    if (faulty.has(name)) return;
    try {
      await action();
    } catch (error) {
      unprepared.push({ name, plan: planOf(name), error });
    }
  };

  await Promise.all([
    ...difference.added.map(async (name) =>
      attempt(name, async () => {
        const plan = planOf(name);
        const member = set.create(plan);
        const isBound = plan.autostart && !areExcluded(plan.listeners, going);
        added.push({ member, isBound });
        if (isBound) prepared.set(name, await member.program.prepare(plan));
      }),
    ),
    ...difference.changed
      .filter(({ needs }) => needs !== 'restart')
      .map(async (change) =>
        attempt(change.program, async () => {
          const { program } = set.find(change.program);
          const plan = planOf(change.program);
          const isBound = isToBegin(change)
            ? !areExcluded(plan.listeners, going)
            : change.needs === 'reload' && program.isRunning();
          if (isBound) prepared.set(change.program, await program.prepare(plan));
        }),
      ),
  ]);
  try {
    if (unprepared.length > 0) {
      const { file } = after.master;
      const { withBindProblems } = await import('./bind-problems.ts');
      throw planInvalid(file, withBindProblems(found, unprepared, { file, places: planChange.places }));
    }
    if (found.length > 0) throw planInvalid(after.master.file, found);
    onBegun();
  } catch (error) {
    await Promise.all([...prepared.values()].map(async (version) => version.discard()));
    await Promise.all(added.map(async ({ member }) => set.remove(member)));
    throw error;
  }
  for (const { member } of added) {
    const version = prepared.get(member.program.name());
    if (version !== undefined) member.program.change(member.program.plan(), version);
    set.add(member);
  }
  // Schedules of the added programs are known from now on, even if the programs are not to be started yet.
  set.advance();

  const removed = difference.removed.map((name) => set.find(name));
  const changeAll = difference.changed.map((change) => ({ change, plan: planOf(change.program) }));
  const begun = changeAll.filter(({ change }) => isToBegin(change));
  const others = changeAll.filter((one) => !begun.includes(one));
  const failed = others.filter(
    ({ change: { program, needs } }) =>
      needs !== 'restart' && isToBeStarted(set.find(program), needs === 'reload'),
  );
  const [inTheirPlace, afterAll] = [
    others.filter((one) => one.change.needs !== 'restart' && !failed.includes(one)),
    others.filter(({ change }) => change.needs === 'restart'),
  ];
  const repaired = failed.map(({ change, plan }) => {
    const member = set.find(change.program);
    member.program.change(plan, null);
    return member;
  });
  const beginning = begun.map(({ change, plan }) => {
    const member = set.find(change.program);
    const version = prepared.get(change.program) ?? null;
    member.program.change(plan, version);
    return { member, isBound: version !== null };
  });
  const isAllBegun = deferred<undefined>();
  // Added programs are started at once, because one may take over the listener of a removed program, with its queue.
  const first = [
    ...inTheirPlace.map(async ({ change, plan }) =>
      changeOne(set, { change, plan, prepared: prepared.get(change.program) ?? null, cause }),
    ),
    ...[...added, ...beginning]
      .filter(({ isBound }) => isBound)
      .map(async ({ member }) => startOne(set, member, 'started', isAllBegun.promise)),
    ...repaired.map(async (member) => startOne(set, member, 'started', isAllBegun.promise)),
  ];
  await Promise.all([...first.slice(0, inTheirPlace.length), set.whenStarted(removed)]);
  // The remaining changes have to wait until other programs have let go of their listeners.
  const gone = await removeAll(set, removed, cause);
  const restarts = afterAll.map(({ change, plan }) => ({ member: set.find(change.program), plan }));
  const wereRunning = restarts.filter(({ member }) => !member.isResting);
  await Promise.all(wereRunning.map(async ({ member }) => set.suspend(member, cause)));
  for (const { member, plan } of restarts) member.program.change(plan, null);
  // The dependencies of programs may have changed with their plans.
  set.advance();
  const last = [
    ...restarts.map(async ({ member }) => {
      // An operator may have stopped the program in the meantime.
      if (wereRunning.some((one) => one.member === member))
        return member.isWanted ? startOne(set, member, 'restarted', isAllBegun.promise) : noted(member);
      return hasEnded(member) ? startOne(set, member, 'started', isAllBegun.promise) : noted(member);
    }),
    ...added
      .filter(({ isBound }) => !isBound)
      .map(async ({ member }) =>
        member.program.plan().autostart
          ? startOne(set, member, 'started', isAllBegun.promise)
          : noted(member),
      ),
    ...beginning
      .filter(({ isBound }) => !isBound)
      .map(async ({ member }) =>
        // An operator may have stopped the program in the meantime.
        member.isWanted || isUntouched(member)
          ? startOne(set, member, 'started', isAllBegun.promise)
          : noted(member),
      ),
  ];
  isAllBegun.resolve(undefined);
  const done = await Promise.all([...first, ...last]);
  set.arrange(after.programs.map(({ name }) => name ?? ''));
  return [...done, ...gone];
}

function plansOf(after: Plan): (name: string) => ProgramPlan {
  const plans = new Map(after.programs.map((plan) => [plan.name ?? '', plan]));
  return (name) => {
    const plan = plans.get(name);
    if (plan === undefined) throw new Error(`the plan has no program ${name}`);
    return plan;
  };
}

/**
 * Whether a changed program is to be started. If it was given up, the change may be the repair. If it has done its work, it is run again only if the
 * change concerns its workers.
 */
function isToBeStarted(member: Member, isForWorkers: boolean): boolean {
  return hasFailed(member) || (hasEnded(member) && isForWorkers);
}

/** The result for a program that gets its new plan with its next start. */
async function noted({ program }: Member): Promise<UpdatedProgram> {
  return Promise.resolve({ program: program.name(), done: 'changed', problem: null });
}

async function startOne(
  set: ProgramSet,
  member: Member,
  done: 'started' | 'restarted',
  isAllBegun: Promise<unknown>,
): Promise<UpdatedProgram> {
  if (isScheduled(member)) {
    await set.schedule(member);
    return { program: member.program.name(), done: 'scheduled', problem: null };
  }
  const problem = problemIn(await set.start(member, isAllBegun).outcome);
  return { program: member.program.name(), done, problem };
}

async function changeOne(
  set: ProgramSet,
  { change, plan, prepared, cause }: OneChange,
): Promise<UpdatedProgram> {
  const { program } = set.find(change.program);
  const isReloaded = (): boolean => change.needs === 'reload' && program.isRunning();
  try {
    // `prepared` is null if the program was started in the meantime, with the previous plan.
    const version = isReloaded() ? (prepared ?? (await program.prepare(plan))) : null;
    if (version !== null && isReloaded()) {
      const done = program.phase() === 'backoff' ? 'started' : 'reloaded';
      program.change(plan, version);
      const { outcome } = program.reload({ cause, wait: 'serving' });
      set.advance();
      return { program: change.program, done, problem: problemIn(await outcome) };
    }
    await (version ?? prepared)?.discard();
  } catch (error) {
    return { program: change.program, done: 'reloaded', problem: messageOf(error) };
  }
  // A program that is stopped, or stops, gets the plan with its next start.
  program.change(plan, null);
  set.advance();
  return { program: change.program, done: 'changed', problem: null };
}

interface OneChange {
  readonly change: ProgramChange;
  readonly plan: ProgramPlan;
  /** The listeners for the new plan, or null if the program did not run when the update began, or needs no new workers. */
  readonly prepared: PreparedVersion | null;
  readonly cause: Cause;
}

/** Removes programs, those that depend on others first. */
async function removeAll(
  set: ProgramSet,
  members: readonly Member[],
  cause: Cause,
): Promise<readonly UpdatedProgram[]> {
  const names = members.map(({ program }) => ({
    name: program.name(),
    dependsOn: program.plan().dependsOn,
    priority: 0,
  }));
  await dependentsFirst(names, async (name) => {
    const member = set.find(name);
    await set.end(member, cause);
    await set.remove(member);
  });
  return members.map(({ program }) => ({ program: program.name(), done: 'removed', problem: null }));
}

function problemIn(outcome: StartOutcome): string | null {
  if (outcome instanceof Error) return outcome.message;
  if (outcome.ok) return null;
  return outcome.failure === null ? 'it has failed' : reasonOf(outcome.failure);
}
