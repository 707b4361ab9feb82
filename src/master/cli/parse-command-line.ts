/** The command line: words in, a request out. */
import parser from 'yargs-parser';
import { GracefulRunError } from '../../shared/errors.ts';
import type { MasterOptions } from '../config/options.ts';
import { type LogFormat, logFormats, type LogLevel, logLevels } from '../config/plan.ts';
import { optionTable, type OptionRow } from './option-table.ts';

export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'run';
      /** Not checked yet: createMaster does. */
      readonly options: MasterOptions;
      readonly logLevel: LogLevel;
      /** Null: not given. */
      readonly logFormat: LogFormat | null;
      /** Say what is wrong instead of starting it; null: start it. */
      readonly check: CheckRequest | null;
    };

export interface CheckRequest {
  /** Start a candidate of each program. */
  readonly isRun: boolean;
  readonly isJson: boolean;
}

/** Errors: `badOption`, `commandMissing`. */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const parsed = parser([...argv], {
    string: flagsOf('text', 'number'),
    array: flagsOf('list').map((key) => ({ key, string: true as const })),
    boolean: [...flagsOf('boolean'), 'help', 'version'],
    alias: { help: ['h'] },
    configuration: {
      'populate--': true,
      // `graceful-run --port 80 node app.js --port 1`: from the first word on everything belongs to the program.
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
  const options: Record<string, unknown> = { command: [...parsed._, ...(parsed['--'] ?? [])].map(String) };
  for (const row of optionTable) {
    const value: unknown = parsed[row.flag];
    if (row.option !== null && value !== undefined) options[row.option] = valueOf(row, value);
  }
  return {
    kind: 'run',
    // Checked by the schema of compileOptions, which takes nothing on trust.
    options: options as unknown as MasterOptions,
    logLevel: choice('log-level', parsed['log-level'], logLevels) ?? 'info',
    logFormat: choice('log-format', parsed['log-format'], logFormats),
    check: checkRequest(parsed),
  };
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
  if (kind === 'list' && Array.isArray(value) && value.length === 0) return true;
  return value;
}

function checkRequest(parsed: Readonly<Record<string, unknown>>): CheckRequest | null {
  if (parsed['check'] === true) return { isRun: parsed['run'] === true, isJson: parsed['json'] === true };
  const stranger = ['run', 'json'].find((flag) => parsed[flag] === true);
  if (stranger === undefined) return null;
  throw new GracefulRunError('badOption', `cannot start: --${stranger} needs --check`, {
    hint: `to check without starting anything: graceful-run --check --${stranger} …`,
  });
}

function rejectUnknown(keys: readonly string[]): void {
  const known = new Set(['_', '--', ...optionTable.map(({ flag }) => flag)]);
  const stranger = keys.find((key) => !known.has(key));
  if (stranger === undefined) return;
  const dashes = stranger.length === 1 ? '-' : '--';
  throw new GracefulRunError('badOption', `cannot start: there is no option ${dashes}${stranger}`, {
    hint:
      stranger === 'env-file'
        ? 'Node.js takes --env-file for itself: use --environment-file'
        : `see graceful-run --help; an option of the program goes after two dashes: -- node app.js ${dashes}${stranger}`,
  });
}

/** yargs-parser takes `--no-` before any option; only those that are on by default have it here. */
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
