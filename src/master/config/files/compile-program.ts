/** The table of a program → its plan, or all of its problems. */
import { isProgramName } from '../../../shared/program-name.ts';
import { shellWords } from '../../launch/split-words.ts';
import type { CheckedProgram } from '../check-plan.ts';
import { compileKind } from '../options/kind-options.ts';
import { BadOption } from '../options/option-errors.ts';
import { compileProgram } from '../options.ts';
import type { ProgramPlan } from '../plan.ts';
import { programSchema } from './config-keys.ts';
import { type PlanNode, problemWith } from './document.ts';
import type { NamedTable } from './named-tables.ts';
import { knownListeners, listOf, nodeOfOption, optionsOf, variablesOf } from './options-of-keys.ts';
import type { Reader, Report } from './read-tables.ts';
import { inapplicableKeys, type UnfitDefault, without } from './unfit-defaults.ts';

export interface CompiledProgram {
  /** What is known of the program, even if it has problems. */
  readonly checked: CheckedProgram;
  /** The plan of the program, or null if it has problems, which are reported. */
  readonly plan: ProgramPlan | null;
  /** Values of `[defaults]` that this program cannot have. */
  readonly unfit: readonly UnfitDefault[];
}

/** Compiles a program whose table contains the values of `[defaults]` as well. Reports its problems. */
export function compileFoundProgram(found: NamedTable, reader: Reader, report: Report): CompiledProgram {
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
