/** Where the values of a plan, and its faults, are in the loaded files. Pure. */
import type { PlanProblem } from '../../../shared/control-api.ts';
import type { PlanFault } from '../check-plan.ts';
import type { Place, Places } from '../plan-places.ts';
import { type Entry, type PlanNode, problemWith, type TableNode } from './document.ts';
import type { LoadedFile } from './load-files.ts';

export function placesIn(table: TableNode): Places {
  const places: [string, Place][] = [];
  for (const [key, { node }] of table.entries) {
    places.push([key, placeOf(node)]);
    if (node.kind === 'list')
      for (const [index, item] of node.items.entries()) places.push([`${key}[${index}]`, placeOf(item)]);
  }
  return Object.fromEntries(places);
}

export function placeOf(node: PlanNode, entry: Entry | null = null): Place {
  const { file, line, column, key } = problemWith({ ...node, at: entry?.keyAt ?? node.at }, '');
  return { file, line, column, key };
}

/** The problems in the order in which a reader finds them: by file, line and column. */
export function inOrder(
  problems: readonly PlanProblem[],
  files: readonly LoadedFile[],
): readonly PlanProblem[] {
  const order: readonly (string | null)[] = [
    ...files.map(({ root }) => root.source.path),
    ...problems.map(({ file }) => file),
  ];
  const rank = ({ file, line, column }: PlanProblem): readonly number[] => [
    order.indexOf(file),
    line ?? 0,
    column ?? 0,
  ];
  return problems
    .map((problem) => ({ problem, rank: rank(problem) }))
    .sort((one, other) => {
      const at = one.rank.findIndex((number, index) => number !== other.rank[index]);
      return at === -1 ? 0 : (one.rank[at] ?? 0) - (other.rank[at] ?? 0);
    })
    .map(({ problem }) => problem);
}

/** The problem for a fault of the whole plan, with its place in a file. */
export function locate(
  { program, key, item, message, hint }: PlanFault,
  programs: readonly { readonly entry: Entry; readonly table: TableNode }[],
  main: string,
): PlanProblem {
  const found = program === null ? undefined : programs[program];
  if (found === undefined) return { file: main, line: null, column: null, key: null, message, hint };
  const { entry, table } = found;
  const keys = key === 'listen' ? ['listen', 'port'] : key === null ? [] : [key];
  const node = keys.map((one) => table.entries.get(one)?.node).find((one) => one !== undefined);
  if (node === undefined) return problemWith({ ...table, at: entry.keyAt ?? table.at }, message, hint);
  const element =
    node.kind === 'list' && typeof item === 'number'
      ? node.items[item]
      : node.kind === 'table' && typeof item === 'string'
        ? node.entries.get(item)?.node
        : undefined;
  return problemWith(element ?? node, message, hint);
}
