/** Checks the loaded files and compiles them into a plan, or says everything that is wrong with them. */
import type { PlanProblem } from '../../../shared/control-api.ts';
import { withoutRepetitions } from '../../../shared/describe-problem.ts';
import { checkPlan } from '../check-plan.ts';
import { withGroups } from '../options/group-options.ts';
import type { Plan } from '../plan.ts';
import type { PlanPlaces } from '../plan-places.ts';
import { checkKeys } from './check-keys.ts';
import { masterOf } from './compile-master.ts';
import { compileFoundProgram } from './compile-program.ts';
import { aliases, defaultKeys, fileKeys, masterKeys, programKeys, programSchema } from './config-keys.ts';
import { type Entry, problemWith, problemWithKey, type TableNode } from './document.ts';
import type { Loaded, LoadedFile } from './load-files.ts';
import { type NamedTable, readNamedTables, reportTwins } from './named-tables.ts';
import { inOrder, locate, placeOf, placesIn } from './file-places.ts';
import { readGroups } from './read-groups.ts';
import { createReader, shown, type Environment, type Reader, type Report } from './read-tables.ts';
import { reportUselessDefaults } from './unfit-defaults.ts';

export type Compiled =
  { readonly plan: Plan; readonly places: PlanPlaces } | { readonly problems: readonly PlanProblem[] };

/** Compiles the loaded files. `main`: the absolute path of the first file. */
export function compileConfig(
  { files, problems: before, isComplete }: Loaded,
  main: string,
  environment: Environment,
): Compiled {
  const problems: PlanProblem[] = [...before];
  const report = (problem: PlanProblem): void => {
    problems.push(problem);
  };
  const values = createReader(environment, report);

  const found = files.flatMap((file) => {
    checkFile(file, values, report);
    return programsOf(file, report);
  });
  const programs = found.map((program) => ({ ...program, ...compileFoundProgram(program, values, report) }));
  reportTwins(found, 'program', report);
  reportUselessDefaults(programs, report);
  // A program whose file cannot be read exists as well, but its name is not known.
  const names = isComplete ? namesIn(files) : null;
  const groups = readGroups(files, names, values, report);
  const faults = checkPlan(
    programs.map(({ checked }) => checked),
    names,
  );
  // Programs with the same name were reported above, with their places.
  for (const fault of faults) if (fault.key !== 'name') report(locate(fault, programs, main));
  const master = masterOf(files[0]?.root, main, values, report);
  if (problems.length > 0) return { problems: inOrder(withoutRepetitions(problems), files) };
  const masterTable = files[0]?.root.entries.get('master')?.node;
  const places: PlanPlaces = {
    master: masterTable?.kind === 'table' ? placesIn(masterTable) : {},
    programs: Object.fromEntries(
      programs.map(({ name, table, entry }) => [name, { '': placeOf(table, entry), ...placesIn(table) }]),
    ),
  };
  const plans = programs.flatMap(({ plan }) => plan ?? []);
  return { plan: { master, programs: withGroups(plans, groups) }, places };
}

function checkFile({ root, isIncluded }: LoadedFile, values: Reader, report: Report): void {
  checkKeys(root, { ...fileKeys, $schema: null }, 'file', report);
  const [defaults, master] = ['defaults', 'master'].map((key) => root.entries.get(key)?.node);
  if (isIncluded && master !== undefined)
    report(problemWithKey(root, 'master', 'only the first file can have it, not one that is included'));
  else if (master !== undefined && master.kind !== 'table')
    report(problemWith(master, `must be a table, not ${shown(master)}`));
  else if (master !== undefined) checkKeys(master, masterKeys, 'master', report);
  if (defaults?.kind === 'table') {
    checkKeys(defaults, defaultKeys, 'defaults', report);
    // A default that every program overrides must be valid, too.
    values.read(defaults, programSchema, { program: 'NAME' });
  } else if (defaults !== undefined) report(problemWith(defaults, `must be a table, not ${shown(defaults)}`));
}

/** The programs of a file. Their tables contain the values of `[defaults]` as well. */
function programsOf({ root, defaults }: LoadedFile, report: Report): readonly NamedTable[] {
  return readNamedTables(root, 'program', programKeys, report).map((found) => ({
    ...found,
    table: merge(defaults, found.table),
  }));
}

/** Tables of which the defaults and the program's own values are merged. */
const addedTables: ReadonlySet<string> = new Set(['environment', 'limits']);

/** A program's own values, and those of the defaults that it does not override, each under one name. Tables of variables and limits are merged. */
function merge(defaults: readonly TableNode[], own: TableNode): TableNode {
  const entries = new Map<string, Entry>();
  for (const { entries: more } of [...defaults, own]) {
    for (const [written, entry] of more) {
      const key = aliases.get(written) ?? written;
      const before = entries.get(key)?.node;
      const { node } = entry;
      entries.set(
        key,
        addedTables.has(key) && before?.kind === 'table' && node.kind === 'table'
          ? { ...entry, node: { ...node, entries: new Map([...before.entries, ...node.entries]) } }
          : entry,
      );
    }
  }
  return { ...own, entries };
}

/** The names of the programs in these files; null if the key `program` is not a table, so that the names are not known. */
function namesIn(files: readonly LoadedFile[]): readonly string[] | null {
  const names: string[] = [];
  for (const { root } of files) {
    const tables = root.entries.get('program')?.node;
    if (tables === undefined) continue;
    if (tables.kind !== 'table') return null;
    names.push(...tables.entries.keys());
  }
  return names;
}
