/**
 * Changes the plan, one change after the other: reads the new plan, compares it with the running one, has the difference applied, and remembers which
 * changes are not served yet.
 */
import type { PlanDifference, UpdateResult } from '../../shared/control-api.ts';
import { describeProblem } from '../../shared/describe-problem.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import type { MasterEvent } from '../../shared/events.ts';
import { comparePlans, isEmpty } from '../config/difference.ts';
import { PlanInvalid } from '../config/plan-invalid.ts';
import type { Plan } from '../config/plan.ts';
import type { UnsettledChange } from '../handover/record.ts';
import type { PlacedPlan } from '../config/plan-places.ts';
import type { UpdateCommand } from '../control/commands.ts';
import { masterStopped } from '../program/history/reload-waiters.ts';
import { applyPlan, checkChange } from './apply-plan.ts';
import type { ProgramSet } from './program-set.ts';

export interface UpdatesParts {
  readonly set: ProgramSet;
  /** The plan that the master was started with. */
  readonly first: Plan;
  /** The environment in which programs are started. */
  readonly environment: NodeJS.ProcessEnv;
  /** Reads the config file again; null if the plan is not from a file. Errors: `planInvalid`. */
  readonly readPlan: (() => Promise<PlacedPlan>) | null;
  /** Whether an operator has stopped the program, before this master was started. */
  readonly wasStopped: (program: string) => boolean;
  /** Whether the master was told to stop. */
  readonly isStopping: () => boolean;
  readonly publish: (event: MasterEvent) => void;
}

export interface Updates {
  /** The plan that is in force. */
  plan(): Plan;
  /** The changes that the serving generation does not run yet, or runs only on probation. */
  unsettled(): readonly UnsettledChange[];
  /** Updates to the plan in the config file. Errors: `noConfigFile`, `planInvalid`, `masterStopped`. */
  readonly fromFile: (command: UpdateCommand) => Promise<UpdateResult>;
  /** Updates to the plan that `read` returns when it is this update's turn. Errors: `planInvalid`, `masterStopped`, and those of `read`. */
  to(command: UpdateCommand, read: () => Promise<PlacedPlan>): Promise<UpdateResult>;
  /** Whether an update is under way, or waits for its turn. */
  isBusy(): boolean;
  /** Takes over the changes that the previous image of this process has noted. */
  resume(changes: readonly UnsettledChange[]): void;
  /** Has to be called for each event of a program. */
  observe(event: MasterEvent, program: string): void;
}

export function createUpdates(parts: UpdatesParts): Updates {
  const { set, first, environment, readPlan, wasStopped, isStopping, publish } = parts;
  let plan = first;
  let last: Promise<unknown> = Promise.resolve();
  /** How many updates have not ended. */
  let running = 0;
  /** Updates from the config file that have not begun, by whether they are dry runs. */
  const pending = new Map<boolean, Promise<UpdateResult>>();
  /** The changes that the serving generation does not run yet, or runs only on probation, by program. */
  const unsettled = new Map<string, UnsettledChange>();

  /** Updates from the config file. A request that arrives before a pending one has begun is merged into that: the file is read after both. */
  async function fromFile(command: UpdateCommand): Promise<UpdateResult> {
    const { isDryRun } = command;
    const known = pending.get(isDryRun);
    if (known !== undefined) return known;
    if (readPlan === null)
      throw new GracefulRunError(
        'noConfigFile',
        'cannot update: this master was not started with a config file',
        {
          hint: 'start it with graceful-run -c graceful.toml',
        },
      );
    const turn = to(command, async () => {
      pending.delete(isDryRun);
      return readPlan();
    });
    pending.set(isDryRun, turn);
    return turn;
  }

  /** Runs the updates one after the other. */
  async function to(command: UpdateCommand, read: () => Promise<PlacedPlan>): Promise<UpdateResult> {
    running += 1;
    const turn = last
      .then(async () => update(command, read))
      .finally(() => {
        running -= 1;
      });
    last = turn.catch(() => undefined);
    return turn;
  }

  function observe(event: MasterEvent, program: string): void {
    const change = unsettled.get(program);
    if (change === undefined) return;
    if (event.event === 'generationFailed' || event.event === 'generationRolledBack')
      unsettled.set(program, { ...change, hasFailed: true });
    if (event.event === 'generationSettled' || (event.event === 'generationReady' && event.probationMs === 0))
      unsettled.delete(program);
  }

  /** Adds to the difference the changes whose reload has failed, so that they are tried again: the old generation still serves with the previous plan. */
  function withWhatIsBehind(difference: PlanDifference, after: Plan): PlanDifference {
    const behind = [...unsettled].filter(
      ([program, { hasFailed }]) =>
        hasFailed &&
        !difference.added.includes(program) &&
        after.programs.some((one) => one.name === program) &&
        !difference.changed.some((change) => change.program === program && change.needs !== 'nothing'),
    );
    const names = behind.map(([program]) => program);
    const others = difference.changed.filter(({ program }) => !names.includes(program));
    const again = behind.map(([program, { keys }]) => {
      const isOneshot = after.programs.some((one) => one.name === program && one.kind.type === 'oneshot');
      const { keys: more = [], later = [] } =
        difference.changed.find((change) => change.program === program) ?? {};
      return {
        program,
        keys: [...new Set([...keys, ...more])],
        needs: 'reload' as const,
        later,
        runsAgain: isOneshot,
      };
    });
    return { ...difference, changed: [...others, ...again] };
  }

  async function update(
    { cause, isDryRun }: UpdateCommand,
    read: () => Promise<PlacedPlan>,
  ): Promise<UpdateResult> {
    const { file } = plan.master;
    try {
      const { plan: after, places } = await read();
      if (isStopping()) throw masterStopped('update');
      const before = plan;
      const difference = withWhatIsBehind(comparePlans(before, after), after);
      if (isDryRun) {
        await checkChange({ after, difference, places, environment });
        return { file, difference, applied: false, programs: [] };
      }
      const begun = (): void => {
        if (isStopping()) throw masterStopped('update');
        // The settings of the master itself stay as they were at its start, until its next start.
        plan = { ...after, master: first.master };
        // An added or removed program with the same name is another program.
        for (const name of [...difference.added, ...difference.removed]) unsettled.delete(name);
        for (const { program, keys, needs } of difference.changed)
          if (needs === 'reload') unsettled.set(program, { program, keys, hasFailed: false });
        const { added, removed } = difference;
        publish({
          event: 'planChanged',
          file,
          added,
          removed,
          changed: difference.changed.map((one) => one.program),
        });
      };
      if (isEmpty(difference)) begun();
      const programs = isEmpty(difference)
        ? []
        : await applyPlan(set, { before, after, difference, places, environment, cause, wasStopped }, begun);
      // Programs that have not even begun to change count as failed changes, too.
      for (const { program, problem } of programs) {
        const change = unsettled.get(program);
        if (change !== undefined && problem !== null) unsettled.set(program, { ...change, hasFailed: true });
      }
      return { file, difference, applied: true, programs };
    } catch (error) {
      if (error instanceof PlanInvalid)
        publish({
          event: 'planRefused',
          file,
          problems: error.problems.map((problem) => describeProblem(problem)),
        });
      throw error;
    }
  }

  return {
    plan: () => plan,
    unsettled: () => [...unsettled.values()],
    fromFile,
    to,
    isBusy: () => running > 0,
    resume(changes) {
      for (const change of changes) unsettled.set(change.program, change);
    },
    observe,
  };
}
