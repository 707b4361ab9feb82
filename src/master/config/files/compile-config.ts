/** Checks the loaded files and compiles them into a plan, or says everything that is wrong with them. */
import { basename, dirname, resolve } from 'node:path';
import type { PlanProblem } from '../../../shared/control-api.ts';
import { isProgramName } from '../../../shared/program-name.ts';
import { withoutRepetitions } from '../../../shared/describe-problem.ts';
import { shellWords } from '../../launch/split-words.ts';
import { type CheckedProgram, checkPlan, type PlanFault } from '../check-plan.ts';
import { withGroups } from '../options/group-options.ts';
import { BadOption } from '../options/option-errors.ts';
import { keyOfOption, optionOfKey } from '../options/option-names.ts';
import { compileProgram, listenersOf, type ProgramOptions } from '../options.ts';
import type { MasterPlan, Plan, ProgramPlan } from '../plan.ts';
import type { Place, PlanPlaces, Places } from '../plan-places.ts';
import { placeLogfile } from '../options/output-options.ts';
import { compileKind } from '../options/kind-options.ts';
import { inapplicableOptions, type JudgedOptions } from '../options/inapplicable-options.ts';
import type { InapplicableTcpOption } from '../options/tcp-options.ts';
import { parseListenAddress } from '../options/listen-address.ts';
import { checkKeys, hintForKey } from './check-keys.ts';
import {
  aliases,
  defaultKeys,
  fileKeys,
  masterKeys,
  masterSchema,
  programKeys,
  programSchema,
} from './config-keys.ts';
import {
  type MetricsOptions,
  type MetricsPlan,
  metricsPlan,
  metricsProblem,
} from '../options/metrics-options.ts';
import {
  type Entry,
  nodeAt,
  type PlanNode,
  problemWith,
  problemWithKey,
  type TableNode,
} from './document.ts';
import type { Loaded, LoadedFile } from './load-files.ts';
import { type NamedTable, readNamedTables, reportTwins } from './named-tables.ts';
import { readGroups } from './read-groups.ts';
import { createReader, shown, type Environment, type Reader, type Report } from './read-tables.ts';

export type Compiled =
  { readonly plan: Plan; readonly places: PlanPlaces } | { readonly problems: readonly PlanProblem[] };

/** A program as it is found in a file. Its table contains the values of `[defaults]` as well. */
type FoundProgram = NamedTable;

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
  const programs = found.map((program) => ({ ...program, ...compile(program, values, report) }));
  reportTwins(found, 'program', report);
  reportUselessDefaults(programs, report);
  // A program whose file cannot be read is there as well, under a name that is not known.
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

function placesIn(table: TableNode): Places {
  const places: [string, Place][] = [];
  for (const [key, { node }] of table.entries) {
    places.push([key, placeOf(node)]);
    if (node.kind === 'list')
      for (const [index, item] of node.items.entries()) places.push([`${key}[${index}]`, placeOf(item)]);
  }
  return Object.fromEntries(places);
}

function placeOf(node: PlanNode, entry: Entry | null = null): Place {
  const { file, line, column, key } = problemWith({ ...node, at: entry?.keyAt ?? node.at }, '');
  return { file, line, column, key };
}

/** The problems in the order in which a reader finds them: by file, line and column. */
function inOrder(problems: readonly PlanProblem[], files: readonly LoadedFile[]): readonly PlanProblem[] {
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

function programsOf({ root, defaults }: LoadedFile, report: Report): readonly FoundProgram[] {
  return readNamedTables(root, 'program', programKeys, report).map((found) => ({
    ...found,
    table: merge(defaults, found.table),
  }));
}

/** Tables of which the defaults and the program's own values are merged. */
const addedTables: ReadonlySet<string> = new Set(['environment', 'limits']);

/** A program's own values, and those of the defaults that it does not have, each under one name. Tables of variables and limits are put together. */
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

interface CompiledProgram {
  /** What is known of the program, even if it has problems. */
  readonly checked: CheckedProgram;
  /** The plan of the program, or null if it has problems, which are reported. */
  readonly plan: ProgramPlan | null;
  /** Values of `[defaults]` that it cannot have. */
  readonly unfit: readonly UnfitDefault[];
}

interface UnfitDefault {
  readonly key: string;
  readonly node: PlanNode;
  readonly message: string;
  readonly hint: string;
}

function compile(found: FoundProgram, reader: Reader, report: Report): CompiledProgram {
  const { name, table, entry } = found;
  const { values, isGood: areValuesGood } = reader.read(table, programSchema, { program: name });
  let isGood = areValuesGood && isProgramName(name);
  const problemAt = (node: PlanNode | undefined, message: string, hint: string | null = null): void => {
    isGood = false;
    report(problemWith(node ?? { ...table, at: entry.keyAt ?? table.at }, message, hint));
  };
  const problem = (key: string, message: string, hint: string | null = null): void => {
    problemAt(table.entries.get(key)?.node, message, hint);
  };
  const command = commandOf(values['command'], problem);
  const { type } = compileKind({ type: typeof values['type'] === 'string' ? values['type'] : undefined });
  const checked: CheckedProgram = {
    name,
    command: command ?? [],
    environment: variablesOf(values['environment']) ?? {},
    listeners: knownListeners(table, values),
    reusePort: values['reuse_port'] === true,
    kind: { type, pidFile: null },
    output: null,
    schedule: values['schedule'] ?? null,
    dependsOn: listOf(values['depends_on']),
  };
  if (!table.entries.has('command')) problem('', 'needs a command', 'add command = ["node", "app.js"]');
  if (table.entries.has('port') && table.entries.has('listen'))
    problem('port', 'cannot be combined with listen', 'add it to listen');
  const environment = table.entries.get('environment')?.node;
  for (const [variable, { node }] of environment?.kind === 'table' ? environment.entries : [])
    if (!/^[^=\0]+$/.test(variable))
      problemAt(node, 'cannot be set: the name of a variable must not be empty or contain =');
  const { own, unfit } = inapplicableKeys(found, values, checked.listeners);
  for (const { key, message, hint } of own) problem(key, message, hint);
  if (!isGood || command === null) return { checked, plan: null, unfit };
  try {
    const fitting = without(
      values,
      unfit.map(({ key }) => key),
    );
    const plan = compileProgram(name, optionsOf(table, fitting, command), table.source.folder);
    return { checked: { ...checked, kind: plan.kind, output: plan.output }, plan, unfit };
  } catch (error) {
    if (!(error instanceof BadOption)) throw error;
    // Paths and addresses that are valid as they are written, but not once variables and folders are filled in.
    for (const { path, message, input } of error.issues)
      problemAt(
        nodeOfOption(table, path),
        `must be ${message}${input === undefined ? '' : `, not ${JSON.stringify(input)}`}`,
      );
    return { checked, plan: null, unfit };
  }
}

interface InapplicableKey {
  readonly key: string;
  readonly message: string;
  readonly hint: string;
}

/** Keys that the program cannot have, or that do not go together, as far as its good values show it: its own, and those of `[defaults]`. */
function inapplicableKeys(
  { table, entry }: FoundProgram,
  values: Readonly<Record<string, unknown>>,
  listeners: CheckedProgram['listeners'],
): { readonly own: readonly InapplicableKey[]; readonly unfit: readonly UnfitDefault[] } {
  const ownNodes = new Set(
    entry.node.kind === 'table' ? [...entry.node.entries.values()].map(({ node }) => node) : [],
  );
  const wrong = [...table.entries.keys()].filter((key) => values[key] === undefined);
  const hasListeners = values['type'] === undefined || values['type'] === 'server';
  const unknown = wrong.map(optionOfKey);
  if (wrong.includes('type') || (hasListeners && listeners === null)) unknown.push('listeners');
  const unfit: UnfitDefault[] = [];
  for (;;) {
    const fitting = without(
      values,
      unfit.map(({ key }) => key),
    );
    const { port, host, listen } = fitting;
    const options = {
      ...optionsOf(table, fitting, []),
      port,
      host,
      listen,
      listeners: hasListeners ? (listeners ?? []) : [],
    };
    const found = inapplicableOptions(options as JudgedOptions, unknown).map((one) => {
      const key = keyOfOption(one.option);
      return { key, message: one.message, hint: one.hint, node: table.entries.get(key)?.node };
    });
    // A key of [defaults] is only for the programs that can have it. Once it is left out, other keys may have no effect.
    const foreign = found.flatMap(({ node, ...one }) =>
      node === undefined || ownNodes.has(node) ? [] : [{ ...one, node }],
    );
    if (foreign.length === 0) return { own: found, unfit };
    unfit.push(...foreign);
  }
}

/** Values of `[defaults]` that not one of the programs that they are for can have. */
function reportUselessDefaults(
  programs: readonly { readonly table: TableNode; readonly unfit: readonly UnfitDefault[] }[],
  report: Report,
): void {
  const has = ({ table }: { readonly table: TableNode }, { key, node }: UnfitDefault): boolean =>
    table.entries.get(key)?.node === node;
  for (const one of programs.flatMap(({ unfit }) => unfit)) {
    const isOfUse = programs.some(
      (program) => has(program, one) && !program.unfit.some(({ node }) => node === one.node),
    );
    if (!isOfUse) report(problemWith(one.node, one.message, one.hint));
  }
}

/** The value of an option, or an element of it; undefined if the table does not have it. */
function nodeOfOption(table: TableNode, [option, ...rest]: readonly PropertyKey[]): PlanNode | undefined {
  const same = Object.entries(programKeys).find(([, key]) => key.option === option);
  const key =
    same?.[0] ??
    { cwd: 'directory', environmentFile: 'env_file' }[String(option)] ??
    keyOfOption(String(option));
  return table.entries.has(key) ? nodeAt(table, [key, ...rest]) : undefined;
}

/** The listeners of a program, or null if one of the keys that define them is wrong. */
function knownListeners(
  table: TableNode,
  values: Readonly<Record<string, unknown>>,
): CheckedProgram['listeners'] {
  const given = ['port', 'host', 'listen'].filter((key) => table.entries.has(key));
  if (given.some((key) => values[key] === undefined) || (given.includes('port') && given.includes('listen')))
    return null;
  const hasAddress = given.includes('port') || given.includes('listen');
  // The type is wrong, so the program may be one that needs no address.
  if (!hasAddress && table.entries.has('type') && values['type'] === undefined) return null;
  // A mistyped key is what is wrong, such as `prot = 3000`, and not a missing address.
  if (!hasAddress && [...table.entries.keys()].some(isMeantAsAddress)) return null;
  const folder = folderOf(table, 'listen');
  const addresses = { ...socketOptionsOf(values), ...addressesOf(values, folder) };
  return listenersOf(addresses, folder, { as: 'code', program: null });
}

function isMeantAsAddress(key: string): boolean {
  if (Object.hasOwn(programKeys, key)) return false;
  const hint = hintForKey(key, Object.keys(programKeys), 'program');
  return /\b(?:port|listen)\b/.test(hint) && !hint.startsWith('there are');
}

/** The keys of options that not every kind of socket has. */
const socketKeys = {
  ipv6Only: 'ipv6_only',
  tcpFastOpen: 'tcp_fast_open',
  deferAccept: 'defer_accept',
  keepalive: 'keepalive',
  freebind: 'freebind',
  socketMode: 'socket_mode',
  socketOwner: 'socket_owner',
} as const satisfies Record<InapplicableTcpOption['option'], string>;

function socketOptionsOf(values: Readonly<Record<string, unknown>>): Partial<ProgramOptions> {
  const options = Object.entries(socketKeys).flatMap(([option, key]) =>
    values[key] === undefined ? [] : [[option, values[key]] as const],
  );
  // Checked by the schema of the file.
  return Object.fromEntries(options);
}

function without(
  values: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key)));
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

type ReportKey = (key: string, message: string, hint?: string | null) => void;

function commandOf(value: unknown, problem: ReportKey): readonly string[] | null {
  const example = 'command = ["node", "app.js"]';
  if (Array.isArray(value)) {
    const words = value.map(String);
    if (words[0] !== undefined && words[0] !== '') return words;
    problem('command', 'has no word to run', example);
    return null;
  }
  if (typeof value !== 'string') return null;
  const split = shellWords(value);
  if ('fault' in split) {
    problem('command', split.fault, split.hint);
    return null;
  }
  if (split.words[0] !== undefined && split.words[0] !== '') return split.words;
  problem('command', 'has no word to run', example);
  return null;
}

/** Converts the values of a program to options of code. Relative paths start at the folder of the file in which they are written. */
function optionsOf(
  table: TableNode,
  values: Readonly<Record<string, unknown>>,
  command: readonly string[],
): ProgramOptions {
  const path = (key: string): string | undefined => {
    const value = values[key];
    return typeof value === 'string' ? resolve(folderOf(table, key), value) : undefined;
  };
  const logfile = (key: string): string | undefined => {
    const value = values[key];
    return typeof value === 'string' ? placeLogfile(value, folderOf(table, key)) : undefined;
  };
  const asTheyAre = Object.entries(programKeys).flatMap(([key, { option }]) =>
    option === undefined ? [] : [[option, values[key]] as const],
  );
  const options: Record<string, unknown> = {
    ...Object.fromEntries(asTheyAre),
    command,
    cwd: path('directory'),
    stdoutLogfile: logfile('stdout_logfile'),
    stderrLogfile: logfile('stderr_logfile'),
    environmentFile: path('env_file'),
    environment: variablesOf(values['environment']),
    watch: Array.isArray(values['watch'])
      ? values['watch'].map((one) => resolve(folderOf(table, 'watch'), String(one)))
      : values['watch'],
    ...addressesOf(values, folderOf(table, 'listen')),
  };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  // Checked again by the schema of compileProgram, which takes nothing on trust.
  return Object.fromEntries(given) as unknown as ProgramOptions;
}

function folderOf(table: TableNode, key: string): string {
  return (table.entries.get(key)?.node ?? table).source.folder;
}

function variablesOf(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]));
}

/** The addresses of a program as options of code. It is not an error here if there are none: that is a fault of the plan as a whole. */
function addressesOf(
  { port, host, listen }: Readonly<Record<string, unknown>>,
  folder: string,
): Pick<ProgramOptions, 'port' | 'host' | 'listen'> {
  const addresses = listOf(listen);
  // A host of [defaults] means nothing to a program without an address.
  const at = typeof host === 'string' && (typeof port === 'number' || addresses.length > 0) ? { host } : {};
  if (typeof port === 'number') return { port, ...at };
  return {
    ...at,
    listen: addresses.map((written) => {
      const address = parseListenAddress(written);
      if (address?.type !== 'unix') return written;
      const name = address.name === null ? '' : `${address.name}=`;
      const { path } = address;
      return `${name}unix:${path.startsWith('@') ? path : resolve(folder, path)}`;
    }),
  };
}

/** The problem for a fault of the whole plan, with its place in a file. */
function locate(
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

function masterOf(root: TableNode | undefined, main: string, reader: Reader, report: Report): MasterPlan {
  const table = root?.entries.get('master')?.node;
  const { values } =
    table?.kind === 'table'
      ? reader.read(table, masterSchema, { program: null })
      : { values: {} as Record<string, unknown> };
  return {
    name: typeof values['name'] === 'string' ? values['name'] : nameOf(main),
    hasControl: values['control'] !== false,
    remembers: values['remember'] === true,
    metrics: table?.kind === 'table' ? metricsIn(table, values, report) : null,
    file: main,
    logLevel: (values['log_level'] ?? null) as MasterPlan['logLevel'],
    logFormat: (values['log_format'] ?? null) as MasterPlan['logFormat'],
  };
}

/** The metrics of the master; null if there are none, or if their keys are wrong. */
function metricsIn(
  table: TableNode,
  values: Readonly<Record<string, unknown>>,
  report: Report,
): MetricsPlan | null {
  const given = {
    address: values['metrics'],
    token: values['metrics_token'],
    cert: values['metrics_cert'],
    key: values['metrics_key'],
  };
  const problem = metricsProblem(given);
  if (problem !== null) report(problemWithKey(table, `metrics_${problem.key}`, problem.message));
  if (problem !== null || typeof given.address !== 'string') return null;
  // Checked by the schema.
  return metricsPlan(given as MetricsOptions, (path) => resolve(table.source.folder, path));
}

/** The name of a master with this config file: the file's name without its ending or, for `graceful.toml`, the name of its folder. */
export function nameOf(file: string): string {
  const stem = basename(file).replace(/\.[^.]+$/, '');
  const name = (stem === 'graceful' ? basename(dirname(file)) : stem)
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 64);
  return isProgramName(name) ? name : 'graceful';
}
