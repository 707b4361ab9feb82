/** The groups of the loaded files, or what is wrong with them. */
import type { PlanProblem } from '../../../shared/control-api.ts';
import { isProgramName } from '../../../shared/control-path.ts';
import { groupFaults, type WrittenGroup } from '../group-options.ts';
import { programName } from '../values.ts';
import { checkKeys } from './check-keys.ts';
import { groupSchema } from './config-keys.ts';
import { problemWith, problemWithKey, type TableNode } from './document.ts';
import { groupKeys } from './group-keys.ts';
import { wantedOf } from './key-schemas.ts';
import type { LoadedFile } from './load-files.ts';
import { type Reader, type Report, shown } from './read-tables.ts';

interface FoundGroup extends WrittenGroup {
  readonly tables: TableNode;
  readonly table: TableNode;
}

/** `names`: those of the programs; null: not all of them are known. */
export function readGroups(
  files: readonly LoadedFile[],
  names: readonly string[] | null,
  reader: Reader,
  report: Report,
): readonly WrittenGroup[] {
  const found = files.flatMap(({ root }) => groupsOf(root, reader, report));
  found.forEach(({ name, tables }, index) => {
    const first = found.findIndex((other) => other.name === name);
    if (first < index) report(problemWithKey(tables, name, twin(name, found[first])));
  });
  for (const { group, item, message, hint } of groupFaults(found, names)) {
    const one = found[group];
    if (one !== undefined) report(locate(one, item, message, hint));
  }
  return found;
}

function groupsOf(root: TableNode, reader: Reader, report: Report): readonly FoundGroup[] {
  const tables = root.entries.get('group')?.node;
  if (tables === undefined) return [];
  if (tables.kind !== 'table') {
    const hint = tables.kind === 'list' ? 'write [group.NAME], not [[group]]' : null;
    report(problemWith(tables, `must be a table with a table for each group, not ${shown(tables)}`, hint));
    return [];
  }
  return [...tables.entries].flatMap(([name, { node }]) => {
    if (!isProgramName(name)) report(problemWithKey(tables, name, `must be ${wantedOf(programName)}`));
    if (node.kind !== 'table') {
      const hint = Object.hasOwn(groupKeys, name) ? 'the table of a group has its name: [group.NAME]' : null;
      report(problemWithKey(tables, name, `must be a table, not ${shown(node)}`, hint));
      return [];
    }
    checkKeys(node, groupKeys, 'group', report);
    if (!node.entries.has('programs'))
      report(problemWithKey(tables, name, 'needs programs', 'name them: programs = ["web", "queue"]'));
    const { values } = reader.read(node, groupSchema, { program: null });
    const { programs, priority } = values;
    return [
      {
        name,
        tables,
        table: node,
        programs: Array.isArray(programs) ? programs.map(String) : [],
        priority: typeof priority === 'number' ? priority : null,
      },
    ];
  });
}

function twin(name: string, first: FoundGroup | undefined): string {
  const entry = first?.tables.entries.get(name);
  const { source, at } = entry?.node ?? { source: { path: '' }, at: null };
  const line = entry?.keyAt ?? at;
  return `there is a group ${name} in ${line === null ? source.path : `${source.path}:${line.line}`} already`;
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
