/** The groups of a plan that code gives. */
import { planInvalid } from './plan-invalid.ts';
import { groupFaults, type WrittenGroup } from './options/group-options.ts';

/** The groups as they were written, after the check of their values. */
type Groups = Readonly<
  Record<string, { readonly programs: readonly string[]; readonly priority?: number | undefined }>
>;

/** Compiles the groups. Errors: `planInvalid`. */
export function compileGroups(
  groups: Groups | undefined,
  programs: readonly string[],
): readonly WrittenGroup[] {
  const written = Object.entries(groups ?? {}).map(([name, { programs: own, priority }]) => ({
    name,
    programs: own,
    priority: priority ?? null,
  }));
  const faults = groupFaults(written, programs);
  if (faults.length === 0) return written;
  throw planInvalid(
    null,
    faults.map(({ group, item, message, hint }) => {
      const place = `groups[${JSON.stringify(written[group]?.name)}]`;
      const key = item === null ? place : `${place}.programs[${item}]`;
      return { file: null, line: null, column: null, key, message, hint };
    }),
  );
}
