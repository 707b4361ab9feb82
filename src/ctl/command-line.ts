/** Parses the command line of gracefulctl. */
import parser from 'yargs-parser';
import { type ReloadWait, reloadWaits, workersLimit } from '../shared/control-api.ts';
import { parseDuration } from '../shared/durations.ts';
import { GracefulRunError } from '../shared/errors.ts';
import { shells } from '../shared/completion.ts';
import { version } from '../shared/version.ts';
import {
  type CommandName,
  type CommandOption,
  type CommandRow,
  commandTable,
  completionCommand,
  commonOptions,
} from './command-table.ts';
import type { Wanted } from './masters/selection.ts';
import type { Spelling } from './masters/spelling.ts';
import { nearest } from '../shared/nearest.ts';

export type Command =
  | { readonly kind: 'list' | 'top' | 'events'; readonly json: boolean }
  | { readonly kind: 'promote' | 'rollback'; readonly json: boolean }
  | { readonly kind: 'status'; readonly json: boolean; readonly isWatching: boolean }
  | {
      readonly kind: 'start' | 'reload' | 'restart';
      readonly wait: ReloadWait | null;
      readonly json: boolean;
    }
  | { readonly kind: 'stop' | 'shutdown'; readonly wait: boolean; readonly json: boolean }
  | { readonly kind: 'scale'; readonly workers: number; readonly json: boolean }
  | ({ readonly kind: 'logs'; readonly json: boolean } & LogsWanted)
  | { readonly kind: 'update'; readonly dryRun: boolean; readonly json: boolean }
  | { readonly kind: 'upgrade'; readonly json: boolean };

/** Selects lines of workers. */
export interface LogsWanted {
  readonly follow: boolean;
  /** How many of the last lines of each log file; null for all. */
  readonly lines: number | null;
  /** The maximum age of the lines, in ms; null for any age. */
  readonly sinceMs: number | null;
  readonly stderr: boolean;
}

export interface Request extends Spelling {
  /** The programs that the command names; for update, upgrade and shutdown, the masters. */
  readonly wanted: Wanted;
  readonly command: Command;
}

/** What follows the command. */
interface Words {
  readonly names: readonly string[];
  readonly name: string | undefined;
  readonly all: boolean;
  readonly json: boolean;
  readonly wait: string | undefined;
  readonly dryRun: boolean;
  readonly watch: boolean;
  readonly follow: boolean;
  readonly lines: string | undefined;
  readonly since: string | undefined;
  readonly stderr: boolean;
}

export const program = 'gracefulctl';

const allOptions: readonly CommandOption[] = [
  ...commonOptions,
  ...commandTable.flatMap(({ options }) => options),
];
/** The letters of the options that have one. */
const shortForms: Readonly<Record<string, string[]>> = Object.fromEntries(
  allOptions.flatMap(({ flag, short }) => (short === undefined ? [] : [[flag, [short]]])),
);
const commandNames: readonly string[] = [...commandTable.map(({ name }) => name), completionCommand.name];
/** Names of these commands in other tools, or that users may try. */
const synonyms: Readonly<Record<string, string>> = {
  show: 'status',
  info: 'status',
  describe: 'status',
  up: 'start',
  down: 'stop',
  kill: 'stop',
  quit: 'shutdown',
  exit: 'shutdown',
  reread: 'update --dry-run',
  diff: 'update --dry-run',
  apply: 'update',
  'daemon-reload': 'update',
  'daemon-reexec': 'upgrade',
  log: 'logs',
  monit: 'top',
  undo: 'rollback',
  revert: 'rollback',
  watch: 'status --watch',
};
const scaleUsage = `${program} scale 3, or ${program} scale <program> 3`;

/** Returns the request that the arguments make, or null if --help or --version has been answered. @throws GracefulRunError badOption. */
export async function parseCommandLine(argv: readonly string[]): Promise<Request | null> {
  rejectUnknownOptions(argv);
  const parsed = parser(argv.map(explicitWait), {
    string: flagsOf('text'),
    boolean: [...flagsOf('boolean'), 'help', 'version'],
    alias: { help: ['h'], ...shortForms },
    configuration: {
      'populate--': true,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    },
  });
  const asksForHelp = parsed._[0] === 'help';
  if (asksForHelp || parsed['help'] === true) {
    const { printHelp } = await import('./help.ts');
    await printHelp(asksForHelp ? [...argv.slice(argv.indexOf('help') + 1), '--help'] : argv);
    return null;
  }
  if (parsed['version'] === true) {
    process.stdout.write(`${version}\n`);
    return null;
  }
  const [typed, ...rest] = parsed._.map(String);
  const row = commandTable.find(
    ({ name, aliases }) => typed !== undefined && [name, ...aliases].includes(typed),
  );
  if (row === undefined) throw unknownCommand(typed);
  rejectUnknownLetters(row, Object.keys(parsed));
  const words = wordsIn(parsed, [...rest, ...(parsed['--'] ?? []).map(String)]);
  const { names, command } = commandOf(row.name, words);
  return {
    wanted: wantedIn({ ...words, names }),
    command,
    typed: [program, ...argv].join(' '),
    spell: (name) => `${program} ${command.kind} ${name}${effectOf(command)}`,
  };
}

function flagsOf(wanted: CommandOption['kind']): string[] {
  return allOptions.filter(({ kind }) => kind === wanted).map(({ flag }) => flag);
}

function wordsIn(parsed: Readonly<Record<string, unknown>>, names: string[]): Words {
  const text = (flag: string): string | undefined => {
    const value = parsed[flag];
    if (!Array.isArray(value)) return typeof value === 'string' ? value : undefined;
    throw badOption(`cannot understand the command line: --${flag} was given more than once`, 'give it once');
  };
  const isOn = (flag: string): boolean => [parsed[flag]].flat().at(-1) === true;
  const name = text('name');
  if (name === '')
    throw badOption(
      'cannot understand the command line: --name needs a name',
      `see the names: ${program} list`,
    );
  return {
    names,
    name,
    all: isOn('all'),
    json: isOn('json'),
    wait: text('wait'),
    dryRun: isOn('dry-run'),
    watch: isOn('watch'),
    follow: isOn('follow'),
    lines: text('lines'),
    since: text('since'),
    stderr: isOn('stderr'),
  };
}

/** The words after the name without which the command would do something else. */
function effectOf(command: Command): string {
  if (command.kind === 'scale') return ` ${command.workers}`;
  return command.kind === 'update' && command.dryRun ? ' --dry-run' : '';
}

/** Rejects unknown options, also those of another command. */
function rejectUnknownOptions(argv: readonly string[]): void {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  const row = commandAmong(words);
  const rows = row === undefined ? commandTable : [row];
  const options = [...commonOptions, ...rows.flatMap((one) => one.options)];
  const known = [...options.map(({ flag }) => flag), 'version', 'help'];
  const letters = ['h', ...options.flatMap(({ short }) => short ?? [])];
  for (const word of words) {
    const [, dashes, name] = /^(--?)([a-z][^=]*)/i.exec(word) ?? [];
    if (name === undefined || (dashes === '--' ? known.includes(name) : letters.includes(name.slice(0, 1))))
      continue;
    throw badOption(
      `cannot understand the command line: ${row?.name ?? program} has no option ${dashes}${name}`,
      suggestion(nearest(name, known), (option) => `--${option}`) ??
        `see ${program}${row === undefined ? '' : ` ${row.name}`} --help`,
    );
  }
}

/** Rejects a letter that is no option of the command, behind others that are: `-fx`. */
function rejectUnknownLetters(row: CommandRow, keys: readonly string[]): void {
  const known = ['h', ...[...commonOptions, ...row.options].flatMap(({ short }) => short ?? [])];
  const letter = keys.find((key) => /^[a-z]$/i.test(key) && !known.includes(key));
  if (letter === undefined) return;
  throw badOption(
    `cannot understand the command line: ${row.name} has no option -${letter}`,
    `see ${program} ${row.name} --help`,
  );
}

/** Options that take the next word as their value. `--wait` is not one of them: its value follows a `=`. */
const takesNextWord: ReadonlySet<string> = new Set(
  allOptions
    .filter(({ flag, kind }) => kind === 'text' && flag !== 'wait')
    .flatMap(({ flag, short }) => [`--${flag}`, ...(short === undefined ? [] : [`-${short}`])]),
);

/** Finds the command: the first word that is neither an option nor the value of one. A program may have the name of another command. */
function commandAmong(words: readonly string[]): CommandRow | undefined {
  const word = words.find((one, index) => !one.startsWith('-') && !takesNextWord.has(words[index - 1] ?? ''));
  return commandTable.find(({ name, aliases }) => word !== undefined && [name, ...aliases].includes(word));
}

/** Makes `--wait` without a value explicit, so that the word after it, a name, is not taken as its value. */
function explicitWait(word: string): string {
  return word === '--wait' ? '--wait=' : word;
}

/** Returns the command, and the names that it is for. */
function commandOf(
  kind: CommandName,
  words: Words,
): { readonly names: readonly string[]; readonly command: Command } {
  const { names, wait, json, dryRun, watch } = words;
  switch (kind) {
    case 'status':
      if (watch && json)
        throw badOption(
          'cannot show the status: --watch cannot be combined with --json',
          `${program} events --json`,
        );
      return { names, command: { kind, json, isWatching: watch } };
    case 'list':
    case 'top':
    case 'events':
      return { names, command: { kind, json } };
    case 'promote':
    case 'rollback':
      return { names, command: { kind, json } };
    case 'start':
    case 'reload':
    case 'restart':
      return { names, command: { kind, wait: waitIn(wait, kind), json } };
    case 'stop':
    case 'shutdown':
      return { names, command: { kind, wait: waitsForEnd(wait, kind), json } };
    case 'scale': {
      const { rest, workers } = countIn(names);
      return { names: rest, command: { kind, workers, json } };
    }
    case 'logs':
      return { names, command: { kind, ...logsIn(words), json } };
    case 'update':
      return { names, command: { kind, dryRun, json } };
    case 'upgrade':
      return { names, command: { kind, json } };
  }
}

const defaultLines = 20;

function logsIn({ follow, lines, since, stderr }: Words): LogsWanted {
  const sinceMs = since === undefined ? null : parseDuration(since);
  if (since !== undefined && sinceMs === null)
    throw badOption(
      `cannot show logs: --since must be a duration, such as 30s, 10m or 2h, not ${JSON.stringify(since)}`,
      `${program} logs --since 10m`,
    );
  if (lines !== undefined && lines !== 'all' && !/^\d{1,9}$/.test(lines))
    throw badOption(
      `cannot show logs: --lines must be a number, or all, not ${JSON.stringify(lines)}`,
      `${program} logs -n 100`,
    );
  const byDefault = sinceMs === null ? defaultLines : null;
  return {
    follow,
    lines: lines === undefined ? byDefault : lines === 'all' ? null : Number(lines),
    sinceMs,
    stderr,
  };
}

function wantedIn({ names, name, all }: Pick<Words, 'names' | 'name' | 'all'>): Wanted {
  const words = [...new Set([...names, ...(name === undefined ? [] : [name])])];
  if (name !== undefined && words.length > 1)
    throw badOption(
      `cannot understand the command line: --name ${name} cannot be combined with ${words.filter((word) => word !== name).join(', ')}`,
      'write every name after the command, or only --name',
    );
  if (all && words.length > 0)
    throw badOption(
      `cannot understand the command line: --all cannot be combined with ${words.join(', ')}`,
      'remove one of them',
    );
  return { words, all };
}

function waitIn(value: string | undefined, kind: string): ReloadWait | null {
  if (value === undefined) return null;
  if (value === '') return reloadWaits[0];
  const known = reloadWaits.find((wait) => wait === value);
  if (known !== undefined) return known;
  throw badOption(
    `cannot ${kind}: --wait must be ${reloadWaits.slice(0, -1).join(', ')} or ${reloadWaits.at(-1) ?? ''}, not ${JSON.stringify(value)}`,
    suggestion(nearest(value, reloadWaits), (wait) => `--wait=${wait}`) ?? `see ${program} ${kind} --help`,
  );
}

function waitsForEnd(value: string | undefined, kind: string): boolean {
  if (value === undefined || value === '') return value === '';
  throw badOption(
    `cannot ${kind}: --wait takes no value here, not ${JSON.stringify(value)}`,
    `${program} ${kind} --wait`,
  );
}

/** Splits the words into the last one, which is the number of workers, and those before it. */
function countIn(words: readonly string[]): { readonly rest: readonly string[]; readonly workers: number } {
  const text = words.at(-1);
  // The last word is a name, and no number follows it.
  if (text === undefined || !/^[\d.+-]/.test(text))
    throw badOption(
      'cannot scale: the number of workers is missing',
      text === undefined ? scaleUsage : `${program} scale ${words.join(' ')} 3`,
    );
  const workers = Number(text);
  if (/^\d{1,4}$/.test(text) && workers >= 1 && workers <= workersLimit)
    return { rest: words.slice(0, -1), workers };
  throw badOption(
    `cannot scale: the number of workers must be a whole number from 1 to ${workersLimit}, not ${JSON.stringify(text)}`,
    scaleUsage,
  );
}

function unknownCommand(word: string | undefined): GracefulRunError {
  const all = `the commands are ${commandNames.join(', ')}`;
  if (word === completionCommand.name)
    return badOption(
      `cannot print a completion script: the shell must be ${shells.slice(0, -1).join(', ')} or ${shells.at(-1) ?? ''}`,
      `source <(${program} completion bash)`,
    );
  if (word === undefined) return badOption('cannot understand the command line: a command is missing', all);
  const known = Object.hasOwn(synonyms, word) ? synonyms[word] : undefined;
  return badOption(
    `cannot understand the command line: there is no command ${word}`,
    suggestion(known ?? nearest(word, commandNames), (command) => `${program} ${command}`) ?? all,
  );
}

/** Returns `did you mean X?`, or null if there is nothing to suggest. */
function suggestion(word: string | null, spell: (word: string) => string): string | null {
  return word === null ? null : `did you mean ${spell(word)}?`;
}

function badOption(message: string, hint: string): GracefulRunError {
  return new GracefulRunError('badOption', message, { hint });
}
