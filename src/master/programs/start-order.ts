/** The order in which programs start and stop: one that depends on others starts after them, and stops before them. Pure. */
import type { ProgramPlan } from '../config/plan.ts';

export interface Dependent {
  readonly name: string;
  readonly dependsOn: readonly string[];
  /** Programs with a lower number start first and stop last. A program that depends on another one stops before it in any case. */
  readonly priority: number;
}

/**
 * The place of a program in the order: lower numbers start first and stop last. A group with a priority is one place, inside which its programs are
 * ordered by their own priorities.
 */
export function rankOf({ kind, group }: Pick<ProgramPlan, 'kind' | 'group'>): number {
  return (group?.priority ?? kind.priority) * ranksOfGroup + kind.priority;
}

/** How many places a group has: more than there are priorities. */
const ranksOfGroup = 1_000;

/** The programs that `name` depends on, directly or through others, and `name` itself. */
export function withDependencies(
  name: string,
  programs: readonly Pick<Dependent, 'name' | 'dependsOn'>[],
): readonly string[] {
  const found = new Set<string>();
  const visit = (one: string): void => {
    if (found.has(one)) return;
    found.add(one);
    for (const next of programs.find((program) => program.name === one)?.dependsOn ?? []) visit(next);
  };
  visit(name);
  return [...found];
}

/** For each program, those that stop before it: the ones that depend on it directly, and the ones with a higher priority on which it does not depend. */
export function stopOrder(programs: readonly Dependent[]): ReadonlyMap<string, readonly string[]> {
  const priorities = stopPriorities(programs);
  const of = (name: string): number => priorities.get(name) ?? 0;
  return new Map(
    programs.map(({ name }) => [
      name,
      programs
        .filter((one) => one.name !== name && (one.dependsOn.includes(name) || of(one.name) > of(name)))
        .map((one) => one.name),
    ]),
  );
}

/** The priorities for stopping. A program that depends on others gets at least their priority, so that priorities never contradict dependencies. */
function stopPriorities(programs: readonly Dependent[]): ReadonlyMap<string, number> {
  const byName = new Map(programs.map((program) => [program.name, program]));
  const known = new Map<string, number>();
  const find = (name: string): number => {
    const program = byName.get(name);
    const before = known.get(name);
    if (program === undefined || before !== undefined) return before ?? 0;
    known.set(name, program.priority);
    const priority = Math.max(program.priority, ...program.dependsOn.map(find));
    known.set(name, priority);
    return priority;
  };
  for (const { name } of programs) find(name);
  return known;
}

/** Calls `action` for each program, at the same time if possible, but for each one only after it is done for those that stop before it. */
export async function dependentsFirst(
  programs: readonly Dependent[],
  action: (name: string) => Promise<void>,
): Promise<void> {
  const order = stopOrder(programs);
  const begun = new Map<string, Promise<void>>();
  const after = async (name: string): Promise<void> => {
    const earlier = order.get(name) ?? [];
    // If nothing has to be waited for, the action begins in this turn of the event loop.
    if (earlier.length > 0) await Promise.all(earlier.map(begin));
    await action(name);
  };
  const begin = async (name: string): Promise<void> => {
    const known = begun.get(name) ?? after(name);
    begun.set(name, known);
    return known;
  };
  await Promise.all(programs.map(async ({ name }) => begin(name)));
}
