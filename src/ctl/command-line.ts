/** Parses the command line of gracefulctl. */
import yargs, { type Argv } from 'yargs';
import { type ReloadWait, reloadWaits, workersLimit } from '../shared/control-api.ts';
import { GracefulRunError } from '../shared/errors.ts';
import { version } from '../shared/version.ts';
import type { Spell, Wanted } from './masters/selection.ts';
import { nearest } from '../shared/nearest.ts';

export type Command =
  | { readonly kind: 'list' | 'status' | 'events'; readonly json: boolean }
  | {
      readonly kind: 'start' | 'reload' | 'restart';
      readonly wait: ReloadWait | null;
      readonly json: boolean;
    }
  | { readonly kind: 'stop' | 'shutdown'; readonly wait: boolean; readonly json: boolean }
  | { readonly kind: 'scale'; readonly workers: number; readonly json: boolean }
  | { readonly kind: 'update'; readonly dryRun: boolean; readonly json: boolean };

export interface Request {
  /** The programs that are meant; for update and shutdown, the masters. */
  readonly wanted: Wanted;
  readonly command: Command;
  /** The same command for another name. */
  readonly spell: Spell;
}

interface Words {
  names: string[] | undefined;
  name: string | undefined;
  all: boolean;
  json: boolean;
}

/** With the option --wait. */
interface WaitingWords extends Words {
  wait: string | undefined;
}

export const program = 'gracefulctl';

const commandNames = [
  'list',
  'status',
  'start',
  'stop',
  'restart',
  'reload',
  'scale',
  'update',
  'events',
  'shutdown',
] as const;
/** What other tools call these commands. */
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
  logs: 'events',
  log: 'events',
  tail: 'events',
  monit: 'events',
};
const scaleUsage = `${program} scale 3, or ${program} scale <program> 3`;
const namesOfPrograms =
  "Names of programs, patterns ('web-*'), or master:program; not needed if there is only one program";
const namesOfMasters = 'Names of masters, or patterns; not needed if only one is running';
const reloadWait =
  'Wait until the new generation serves (--wait or --wait=serving), until its probation is over too (--wait=settled), or until, in addition, all old workers have exited (--wait=drained)';

/** The request that the arguments ask for; null when --help or --version has been answered. @throws GracefulRunError badOption. */
export async function parseCommandLine(argv: readonly string[]): Promise<Request | null> {
  let request: Request | null = null;
  const pick = (words: Pick<Words, 'names' | 'name' | 'all'>, command: Command): void => {
    const rest = command.kind === 'scale' ? ` ${command.workers}` : '';
    request = {
      wanted: wantedIn(words, command.kind),
      command,
      spell: (name) => `${program} ${command.kind} ${name}${rest}`,
    };
  };
  const looking = (kind: 'list' | 'status' | 'events') => (words: Words) => {
    pick(words, { kind, json: words.json });
  };
  const starting = (kind: 'start' | 'reload' | 'restart') => (words: WaitingWords) => {
    pick(words, { kind, wait: waitIn(words.wait, kind), json: words.json });
  };
  const stopping = (kind: 'stop' | 'shutdown') => (words: WaitingWords) => {
    pick(words, { kind, wait: waitsForEnd(words.wait, kind), json: words.json });
  };
  await yargs(argv.map(explicitWait))
    .scriptName(program)
    .usage(
      'Usage: $0 <command> [names..] [options]\n\nQuery and control the programs that graceful-run runs.',
    )
    .option('json', { type: 'boolean', default: false, describe: 'Print JSON, one object per line' })
    .option('all', {
      type: 'boolean',
      default: false,
      describe: 'Every program; for update and shutdown, every master',
    })
    .option('name', { type: 'string', requiresArg: true, describe: 'Same as a name after the command' })
    .command(['list [names..]', 'ls', 'ps'], 'Show a table of programs', programs, looking('list'))
    .command(
      'status [names..]',
      'Show one program in detail, or several in a table',
      programs,
      looking('status'),
    )
    .command(
      'start [names..]',
      'Start programs that are not running',
      (command: Common) => waiting(programs(command), reloadWait),
      starting('start'),
    )
    .command(
      'stop [names..]',
      'Stop programs gracefully (twice: at once); a master without a config file exits too',
      (command: Common) => waiting(programs(command), 'Wait until the workers have exited'),
      stopping('stop'),
    )
    .command(
      'reload [names..]',
      'Replace the workers by new ones without a failed request',
      (command: Common) => waiting(programs(command), reloadWait),
      starting('reload'),
    )
    .command(
      'restart [names..]',
      'Stop the workers first, then start new ones; clients wait meanwhile',
      (command: Common) => waiting(programs(command), reloadWait),
      starting('restart'),
    )
    .command(
      'scale [names..]',
      'Change the number of workers; the last argument is the number, from 1 to 1024',
      programs,
      (words) => {
        const { rest, workers } = countIn(words.names ?? []);
        pick({ ...words, names: rest }, { kind: 'scale', workers, json: words.json });
      },
    )
    .command(
      'update [names..]',
      'Read the config file again, and apply what changed',
      (command: Common) =>
        masters(command).option('dry-run', {
          type: 'boolean',
          default: false,
          describe: 'Only print what would be done',
        }),
      (words) => {
        pick(words, { kind: 'update', dryRun: words.dryRun, json: words.json });
      },
    )
    .command('events [names..]', 'Follow events until the masters stop', programs, looking('events'))
    .command(
      'shutdown [names..]',
      'Stop a master with all of its programs',
      (command: Common) => waiting(masters(command), 'Wait until the master has exited'),
      stopping('shutdown'),
    )
    .command('$0 [words..]', false, {}, ({ words }) => {
      throw unknownCommand(words);
    })
    .example('$0 reload shop --wait', 'reload, and exit 0 only if the new release serves')
    .example("$0 reload 'web-*'", 'reload every program whose name begins with web-')
    .example('$0 scale shop 4', 'run shop with four workers')
    .epilogue(
      'Exit codes: 0 success · 1 failed or refused · 2 usage error or wrong config file · 3 no such program or master · 4 program not running',
    )
    .strict()
    .version(version)
    .help()
    .alias('h', 'help')
    .detectLocale(false)
    .wrap(Math.min(process.stdout.columns || 100, 100))
    .exitProcess(false)
    .fail((message: string | null, error: unknown) => {
      if (error instanceof GracefulRunError) throw error;
      throw badOption(
        `cannot understand the command line: ${message ?? String(error)}`,
        `see ${program} --help`,
      );
    })
    .parseAsync();
  return request;
}

/** `--wait` alone takes no value: the word after it is a name. */
function explicitWait(word: string): string {
  return word === '--wait' ? '--wait=' : word;
}

type Common = Argv<{ name: string | undefined; all: boolean; json: boolean }>;

function programs(command: Common): Argv<Words> {
  return command.positional('names', { type: 'string', array: true, describe: namesOfPrograms });
}

function masters(command: Common): Argv<Words> {
  return command.positional('names', { type: 'string', array: true, describe: namesOfMasters });
}

function waiting(command: Argv<Words>, describe: string): Argv<WaitingWords> {
  return command.option('wait', { type: 'string', describe });
}

function wantedIn(
  { names = [], name, all }: Pick<Words, 'names' | 'name' | 'all'>,
  kind: Command['kind'],
): Wanted {
  const words = [...new Set([...names, ...(name === undefined ? [] : [name])])];
  if (name !== undefined && words.length > 1)
    throw badOption(
      `cannot ${kind}: --name ${name} cannot be combined with ${words.filter((word) => word !== name).join(', ')}`,
      'write every name after the command, or only --name',
    );
  if (all && words.length > 0)
    throw badOption(
      `cannot ${kind}: --all cannot be combined with ${words.join(', ')}`,
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

/** The last word, and those before it. */
function countIn(words: readonly string[]): { readonly rest: string[]; readonly workers: number } {
  const text = words.at(-1);
  if (text === undefined) throw badOption('cannot scale: the number of workers is missing', scaleUsage);
  const workers = Number(text);
  if (/^\d{1,4}$/.test(text) && workers >= 1 && workers <= workersLimit)
    return { rest: words.slice(0, -1), workers };
  throw badOption(
    `cannot scale: the number of workers must be a whole number from 1 to ${workersLimit}, not ${JSON.stringify(text)}`,
    scaleUsage,
  );
}

function unknownCommand(words: unknown): GracefulRunError {
  const all = `the commands are ${commandNames.join(', ')}`;
  const word: unknown = Array.isArray(words) ? words[0] : undefined;
  if (typeof word !== 'string')
    return badOption('cannot understand the command line: a command is missing', all);
  const known = Object.hasOwn(synonyms, word) ? synonyms[word] : undefined;
  return badOption(
    `cannot understand the command line: there is no command ${word}`,
    suggestion(known ?? nearest(word, commandNames), (command) => `${program} ${command}`) ?? all,
  );
}

/** `did you mean X?`, or null when there is nothing to suggest. */
function suggestion(word: string | null, spell: (word: string) => string): string | null {
  return word === null ? null : `did you mean ${spell(word)}?`;
}

function badOption(message: string, hint: string): GracefulRunError {
  return new GracefulRunError('badOption', message, { hint });
}
