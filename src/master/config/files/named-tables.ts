/** `[program.NAME]` and `[group.NAME]`: the tables under one key, each with a name of its own. */
import { isProgramName } from '../../../shared/program-name.ts';
import { programName } from '../options/values.ts';
import { checkKeys } from './check-keys.ts';
import { problemWith, problemWithKey, type Entry, type TableNode } from './document.ts';
import { wantedOf } from './key-schemas.ts';
import { type Report, shown } from './read-tables.ts';

export interface NamedTable {
  readonly name: string;
  readonly table: TableNode;
  readonly entry: Entry;
  /** The table that contains this one: the one under `program` or `group`. */
  readonly tables: TableNode;
}

/** The named tables of one file. `keys`: the keys that such a table may have. */
export function readNamedTables(
  root: TableNode,
  what: 'program' | 'group',
  keys: Parameters<typeof checkKeys>[1],
  report: Report,
): readonly NamedTable[] {
  const tables = root.entries.get(what)?.node;
  if (tables === undefined) return [];
  if (tables.kind !== 'table') {
    const hint = tables.kind === 'list' ? `write [${what}.NAME], not [[${what}]]` : null;
    report(problemWith(tables, `must be a table with a table for each ${what}, not ${shown(tables)}`, hint));
    return [];
  }
  return [...tables.entries].flatMap(([name, entry]) => {
    if (!isProgramName(name)) report(problemWithKey(tables, name, `must be ${wantedOf(programName)}`));
    if (entry.node.kind === 'table') {
      checkKeys(entry.node, keys, what, report);
      return [{ name, table: entry.node, entry, tables }];
    }
    const hint = Object.hasOwn(keys, name) ? `the table of a ${what} has its name: [${what}.NAME]` : null;
    report(problemWithKey(tables, name, `must be a table, not ${shown(entry.node)}`, hint));
    return [];
  });
}

/** Reports names that are used twice, mostly in several files. */
export function reportTwins(found: readonly NamedTable[], what: 'program' | 'group', report: Report): void {
  const first = new Map<string, Entry>();
  for (const { name, entry, tables } of found) {
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, entry);
      continue;
    }
    const { source, at } = other.node;
    const line = other.keyAt ?? at;
    const where = line === null ? source.path : `${source.path}:${line.line}`;
    const problem = `there is a ${what} ${name} in ${where} already`;
    report(problemWithKey(tables, name, problem, 'give one of them another name'));
  }
}
