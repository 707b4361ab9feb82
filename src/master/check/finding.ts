/** The problems that a check finds, and the names of the options that they are about, in a file or on the command line. Pure. */
import type { PlanProblem } from '../../shared/control-api.ts';
import type { MasterOptions } from '../config/options.ts';
import type { Plan } from '../config/plan.ts';
import { noPlaces, type PlanPlaces } from '../config/plan-places.ts';
import { nameAfter } from '../config/plan-names.ts';
import { keyOfOption } from '../config/options/option-names.ts';

export interface Finding {
  /** The name of the program, or null if the problem is one of the master. */
  readonly program: string | null;
  readonly option: CheckedOption;
  /** Which of the listeners, or which of the watched paths, the problem is about. */
  readonly item?: number;
  /** The problem in one sentence without a full stop. */
  readonly message: string;
  readonly hint: string | null;
}

export type CheckedOption =
  | Extract<
      keyof MasterOptions,
      | 'command'
      | 'port'
      | 'host'
      | 'listen'
      | 'cwd'
      | 'environmentFile'
      | 'user'
      | 'nice'
      | 'limits'
      | 'noNewPrivileges'
      | 'cpuAffinity'
      | 'oomScoreAdj'
      | 'stdoutLogfile'
      | 'stderrLogfile'
      | 'watch'
      | 'name'
      | 'control'
      | 'metrics'
    >
  | 'ifMissed'
  | 'remember';

/** The names of the options on the command line, which does not have all of them. */
const flags: { readonly [Option in CheckedOption]?: string } = {
  command: 'command',
  port: '--port',
  host: '--host',
  listen: '--listen',
  cwd: '--cwd',
  environmentFile: '--environment-file',
  user: '--user',
  stdoutLogfile: '--stdout-logfile',
  stderrLogfile: '--stderr-logfile',
  watch: '--watch',
  name: '--name',
  control: '--control',
};

/** The name of the option where the user has to change it: in the file or on the command line. */
export function keyOf({ program, option }: Pick<Finding, 'program' | 'option'>, file: string | null): string {
  const key = keyOfOption(option);
  if (file === null) return flags[option] ?? key;
  return `${program === null ? 'master' : keyOfProgram(program)}.${key}`;
}

/** The key of the program's table in a file. */
export function keyOfProgram(program: string): string {
  return `program.${/^[\w-]+$/.test(program) ? program : JSON.stringify(program)}`;
}

/**
 * Adds a place in the file to the problem. `places`: those of the file's values. If the file does not set the value, the place is that of the program,
 * with the key that the value would have.
 */
export function toProblem(finding: Finding, file: string | null, places: PlanPlaces = noPlaces): PlanProblem {
  const { program, option, item, message, hint } = finding;
  const key = keyOfOption(option);
  const own = program === null ? places.master : (places.programs[program] ?? {});
  const element = item === undefined ? [] : [`${option === 'watch' ? 'watch' : 'listen'}[${item}]`];
  const [place] = [...element, key].flatMap((one) => own[one] ?? []);
  if (place !== undefined) return { ...place, message, hint };
  const { line = null, column = null, file: its = file } = own[''] ?? {};
  return { file: its, line, column, key: keyOf(finding, file), message, hint };
}

/** Sorts problems as a reader finds them: those of one file by line and column, and files in the order in which they come. */
export function inFileOrder(problems: readonly PlanProblem[]): readonly PlanProblem[] {
  const files = problems.map(({ file }) => file);
  return problems.toSorted(
    (one, other) =>
      files.indexOf(one.file) - files.indexOf(other.file) ||
      (one.line ?? 0) - (other.line ?? 0) ||
      (one.column ?? 0) - (other.column ?? 0),
  );
}

/** The name of each program of the plan. A program without a name is called after its first address. */
export function programNames({ programs }: Plan): readonly string[] {
  return programs.map(({ name, listeners }) => name ?? nameAfter(listeners[0]));
}
