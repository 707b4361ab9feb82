/** Groups of programs: the options in which they are written, what can be wrong with these, and what they become in a plan. Pure. */
import { nearest } from '../../../shared/nearest.ts';

/** The options of a group in code. */
export interface GroupOptions {
  /** Names of programs of the same plan. A program is in one group at most. */
  readonly programs: readonly string[];
  /**
   * The place of the group in the order of start and stop, among other groups and programs without one: 0 to 999. Inside of it, the programs have
   * the order of their own priorities. Default: each program has its own place, as without a group.
   */
  readonly priority?: number;
}

/** A group as the plan of each of its programs shows it. */
export interface GroupPlan {
  readonly name: string;
  /** The place of the group in the order of start and stop, or null: then each of its programs has its own place. */
  readonly priority: number | null;
}

export interface WrittenGroup extends GroupPlan {
  readonly programs: readonly string[];
}

export interface GroupFault {
  /** The index of the group. */
  readonly group: number;
  /** The index of the program in the group's list that has the fault, or null if it is the group's name. */
  readonly item: number | null;
  readonly message: string;
  readonly hint: string | null;
}

/** Finds faults of groups. `names`: the names of the programs; null if not all of them are known. */
export function groupFaults(
  groups: readonly WrittenGroup[],
  names: readonly string[] | null,
): readonly GroupFault[] {
  const owners = new Map<string, string>();
  return groups.flatMap(({ name, programs }, group) => {
    const isTaken = names?.includes(name) === true && !programs.includes(name);
    const own: readonly GroupFault[] = isTaken
      ? [
          {
            group,
            item: null,
            message: `there is a program ${name}, which is not in this group`,
            hint: 'give the group another name, or add the program to it',
          },
        ]
      : [];
    return [
      ...own,
      ...programs.flatMap((program, item): readonly GroupFault[] => {
        const owner = owners.get(program);
        if (owner !== undefined) {
          const message =
            owner === name ? `${program} is named twice` : `${program} is in the group ${owner}`;
          return [{ group, item, message, hint: 'a program is in one group at most' }];
        }
        owners.set(program, name);
        if (names === null || names.includes(program)) return [];
        const meant = nearest(program, names);
        const hint = meant === null ? null : `did you mean ${meant}?`;
        return [{ group, item, message: `there is no program ${JSON.stringify(program)}`, hint }];
      }),
    ];
  });
}

/** Adds to each program the group that it is in. */
export function withGroups<
  Program extends { readonly name: string | null; readonly group: GroupPlan | null },
>(programs: readonly Program[], groups: readonly WrittenGroup[]): readonly Program[] {
  if (groups.length === 0) return programs;
  const groupOf = new Map(
    groups.flatMap(({ name, priority, programs: names }) => {
      const group: GroupPlan = Object.freeze({ name, priority });
      return names.map((program) => [program, group] as const);
    }),
  );
  return programs.map((program) => {
    const group = groupOf.get(program.name ?? '');
    return group === undefined ? program : Object.freeze({ ...program, group });
  });
}
