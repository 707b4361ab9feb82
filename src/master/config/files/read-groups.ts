/** The groups of the loaded files, or what is wrong with them. */
import type { PlanProblem } from '../../../shared/control-api.ts';
import { groupFaults, type WrittenGroup } from '../options/group-options.ts';
import { groupSchema } from './config-keys.ts';
import { problemWith, problemWithKey } from './document.ts';
import { groupKeys } from './group-keys.ts';
import type { LoadedFile } from './load-files.ts';
import { type NamedTable, readNamedTables, reportTwins } from './named-tables.ts';
import type { Reader, Report } from './read-tables.ts';

type FoundGroup = WrittenGroup & NamedTable;

/** Reads the groups. `names`: the names of the programs; null if not all of them are known. */
export function readGroups(
  files: readonly LoadedFile[],
  names: readonly string[] | null,
  reader: Reader,
  report: Report,
): readonly WrittenGroup[] {
  const found = files
    .flatMap(({ root }) => readNamedTables(root, 'group', groupKeys, report))
    .map((one) => groupOf(one, reader, report));
  reportTwins(found, 'group', report);
  for (const { group, item, message, hint } of groupFaults(found, names)) {
    const one = found[group];
    if (one !== undefined) report(locate(one, item, message, hint));
  }
  return found;
}

function groupOf(found: NamedTable, reader: Reader, report: Report): FoundGroup {
  const { name, table, tables } = found;
  if (!table.entries.has('programs'))
    report(problemWithKey(tables, name, 'needs programs', 'name them: programs = ["web", "queue"]'));
  const { values } = reader.read(table, groupSchema, { program: null });
  const { programs, priority } = values;
  return {
    ...found,
    programs: Array.isArray(programs) ? programs.map(String) : [],
    priority: typeof priority === 'number' ? priority : null,
  };
}

function locate(
  { name, tables, table }: FoundGroup,
  item: number | null,
  message: string,
  hint: string | null,
): PlanProblem {
  const list = table.entries.get('programs')?.node;
  if (item === null || list === undefined) return problemWithKey(tables, name, message, hint);
  return problemWith((list.kind === 'list' ? list.items[item] : undefined) ?? list, message, hint);
}
