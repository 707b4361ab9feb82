/** Parses the command line: from its words to an invocation. */
import parser from 'yargs-parser';
import { GracefulRunError } from '../../shared/errors.ts';
import { completeCommand, type Shell, shells } from '../../shared/completion.ts';
import { nearest } from '../../shared/nearest.ts';
import type { MasterOptions } from '../config/options.ts';
import { keyOfOption, optionOfKey } from '../config/options/option-names.ts';
import { type LogFormat, logFormats, type LogLevel, logLevels } from '../config/plan.ts';
import { optionTable, type OptionRow } from './option-table.ts';

interface CommonOptions {
  /** The level that was given, or null if none was. */
  readonly logLevel: LogLevel | null;
  /** The format that was given, or null if none was. */
  readonly logFormat: LogFormat | null;
  /** The check to run instead of starting the plan, or null to start it. */
  readonly check: CheckRequest | null;
}

export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  /** Print the completion script for this shell. */
  | { readonly kind: 'completion'; readonly shell: Shell }
  /** Print what can stand at the end of these words: the completion script asks for it. */
  | { readonly kind: 'complete'; readonly words: readonly string[] }
  /** Run a program. The options are not checked yet: compileOptions does that. */
  | ({ readonly kind: 'run'; readonly options: MasterOptions } & CommonOptions)
  /** Run a config file. `file`: the path as it was given. */
  | ({ readonly kind: 'runFile'; readonly file: string } & CommonOptions);

export interface CheckRequest {
  /** Whether to start a candidate of each program. */
  readonly isRun: boolean;
  readonly isJson: boolean;
}

/**
 * Parses the words of a command line. `findConfig` returns the config file of the current folder, for a command line without a command and without `-c`;
 * null if there is none. Errors: `badOption`, `commandMissing`.
 */
export function parseCommandLine(
  argv: readonly string[],
  findConfig: () => string | null = () => null,
): Invocation {
  if (argv[0] === completeCommand) return { kind: 'complete', words: argv.slice(1) };
  const shell = shellIn(argv);
  if (shell !== null) return { kind: 'completion', shell };
  const parsed = parser([...argv], {
    string: flagsOf('text', 'number'),
    array: flagsOf('list').map((key) => ({ key, string: true as const })),
    boolean: [...flagsOf('boolean'), 'help', 'version'],
    alias: { help: ['h'], config: ['c'] },
    configuration: {
      'populate--': true,
      // `graceful-run --port 80 node app.js --port 1`: everything from the first word on belongs to the program.
      'halt-at-non-option': true,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
    },
  });
  if (parsed['help'] === true) return { kind: 'help' };
  if (parsed['version'] === true) return { kind: 'version' };
  rejectNegated(parsed);
  rejectUnknown(Object.keys(parsed));
  const command = [...parsed._, ...(parsed['--'] ?? [])].map(String);
  const common: CommonOptions = {
    logLevel: choice('log-level', parsed['log-level'], logLevels),
    logFormat: choice('log-format', parsed['log-format'], logFormats),
    check: checkRequest(parsed),
  };
  const given = optionTable.filter(({ flag, option }) => option !== null && parsed[flag] !== undefined);
  const file = configFile(parsed['config']) ?? (command.length === 0 ? findConfig() : null);
  if (file !== null) {
    rejectBesideFile(file, command, given);
    return { kind: 'runFile', file, ...common };
  }
  if (command.length === 0 && given.length === 0) throw nothingToRun();
  const options: Record<string, unknown> = { command };
  for (const row of given) if (row.option !== null) options[row.option] = valueOf(row, parsed[row.flag]);
  // Checked by the schema of compileOptions, which takes nothing on trust.
  return { kind: 'run', options: options as unknown as MasterOptions, ...common };
}

/** The shell of `graceful-run completion SHELL`; null for any other command line. A program called `completion` needs a port, so an option comes before it. */
function shellIn(argv: readonly string[]): Shell | null {
  if (argv.length !== 2 || argv[0] !== 'completion') return null;
  return shells.find((shell) => shell === argv[1]) ?? null;
}

/** The path that was given with `-c`; null if there is none. */
function configFile(value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value === 'string' && value !== '') return value;
  throw Array.isArray(value)
    ? new GracefulRunError('badOption', 'cannot start: --config was given more than once', {
        hint: 'a file can include others: include = ["conf.d/*.toml"]',
      })
    : new GracefulRunError('badOption', 'cannot start: --config must be a file', {
        hint: 'graceful-run -c graceful.toml',
      });
}

/** Rejects a command or options beside a config file: the file alone describes its programs, so that there is one place to look. */
function rejectBesideFile(file: string, command: readonly string[], given: readonly OptionRow[]): void {
  const [row] = given;
  if (row === undefined && command.length === 0) return;
  const what = row === undefined ? 'a command' : `--${row.flag}`;
  const where = row === undefined ? 'command in [program.NAME]' : fileKeyOf(row);
  throw new GracefulRunError(
    'badOption',
    `cannot start: ${what} cannot be combined with the config file ${file}`,
    { hint: `write it into the file: ${where}` },
  );
}

const keysOfMaster: ReadonlySet<string> = new Set(['name', 'control']);

/** The place in a config file that corresponds to an option: `ready_timeout in [program.NAME]`. */
export function fileKeyOf({ flag }: Pick<OptionRow, 'flag'>): string {
  const key = keyOfOption(optionOfKey(flag.replaceAll('-', '_')));
  return `${key} in [${keysOfMaster.has(key) ? 'master' : 'program.NAME'}]`;
}

function nothingToRun(): GracefulRunError {
  return new GracefulRunError(
    'commandMissing',
    'cannot start: there is no command, and no config file in this directory',
    {
      hint: 'run graceful-run --port 10086 -- node app.js, or write a file graceful.toml; see graceful-run --help',
    },
  );
}

function flagsOf(...kinds: readonly OptionRow['kind'][]): string[] {
  return optionTable.filter(({ kind }) => kinds.includes(kind)).map(({ flag }) => flag);
}

function valueOf({ kind, flag }: OptionRow, value: unknown): unknown {
  if (kind !== 'list' && Array.isArray(value)) {
    throw new GracefulRunError('badOption', `cannot start: --${flag} was given more than once`, {
      hint: 'give it once',
    });
  }
  if (kind === 'number' && typeof value === 'string') return /^\d+$/.test(value) ? Number(value) : value;
  if (kind === 'list' && Array.isArray(value) && value.length === 0) {
    if (flag === 'listen')
      throw new GracefulRunError('badOption', 'cannot start: --listen needs at least one address', {
        hint: 'graceful-run --listen 3000 3001 -- node app.js',
      });
    return true;
  }
  return value;
}

function checkRequest(parsed: Readonly<Record<string, unknown>>): CheckRequest | null {
  if (parsed['check'] === true) return { isRun: parsed['run'] === true, isJson: parsed['json'] === true };
  const stranger = ['run', 'json'].find((flag) => parsed[flag] === true);
  if (stranger === undefined) return null;
  throw new GracefulRunError('badOption', `cannot start: --${stranger} needs --check`, {
    hint: `add --check: graceful-run --check --${stranger} …`,
  });
}

function rejectUnknown(keys: readonly string[]): void {
  const known = new Set(['_', '--', ...optionTable.flatMap(({ flag, short = flag }) => [flag, short])]);
  const stranger = keys.find((key) => !known.has(key));
  if (stranger === undefined) return;
  const dashes = stranger.length === 1 ? '-' : '--';
  const meant = flagsMeantBy(stranger).map((flag) => `--${flag}`);
  const first = meant.length === 0 ? 'see graceful-run --help' : `did you mean ${meant.join(' or ')}?`;
  const own = `n option of the program goes after two dashes: -- node app.js ${dashes}${stranger}`;
  throw new GracefulRunError('badOption', `cannot start: there is no option ${dashes}${stranger}`, {
    hint:
      stranger === 'env-file'
        ? 'Node.js takes --env-file for itself: use --environment-file'
        : `${first}${meant.length === 0 ? '; a' : ' A'}${own}`,
  });
}

/** How many options a hint may suggest: more would be no hint. */
const maxMeant = 3;

/** The options that were probably meant by an unknown one. For a single letter, those that begin with it. */
function flagsMeantBy(stranger: string): readonly string[] {
  const flags = optionTable.map(({ flag }) => flag);
  if (stranger.length > 1) return [nearest(stranger, flags) ?? []].flat();
  const found = flags.filter((flag) => flag.startsWith(stranger));
  return found.length > maxMeant ? [] : found;
}

/** Rejects `--no-` before options that cannot be turned off: yargs-parser accepts it before any option. */
function rejectNegated(parsed: Readonly<Record<string, unknown>>): void {
  const off = optionTable.filter((row) => row.kind === 'boolean' && row.default !== 'on');
  const flags = [...flagsOf('text', 'number', 'list'), ...off.map(({ flag }) => flag), 'help', 'version'];
  const stranger = flags.find((flag) => [parsed[flag]].flat().includes(false));
  if (stranger === undefined) return;
  throw new GracefulRunError('badOption', `cannot start: there is no option --no-${stranger}`, {
    hint: 'see graceful-run --help',
  });
}

function choice<const Allowed extends string>(
  flag: string,
  value: unknown,
  allowed: readonly Allowed[],
): Allowed | null {
  if (value === undefined) return null;
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new GracefulRunError(
    'badOption',
    `cannot start: --${flag} must be ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1) ?? ''}, not ${JSON.stringify(value)}`,
    { hint: 'see graceful-run --help' },
  );
}
