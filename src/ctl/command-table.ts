/** The commands of gracefulctl. The parser, `--help`, the man page and shell completion are made from this table. Pure. */
import { reloadWaits } from '../shared/control-api.ts';

export interface CommandRow {
  readonly name: CommandName;
  readonly aliases: readonly string[];
  readonly description: string;
  /** What the command's arguments name. */
  readonly names: 'programs' | 'masters';
  /** True if a number follows the names. */
  readonly takesCount?: true;
  readonly options: readonly CommandOption[];
}

export interface CommandOption {
  /** The name of the option, without its dashes. */
  readonly flag: string;
  /** The letter of the short form, without its dash. */
  readonly short?: string;
  readonly kind: 'text' | 'boolean';
  /** The values that may follow `=`; empty if the option takes none. */
  readonly values: readonly string[];
  readonly description: string;
}

export type CommandName =
  | 'list'
  | 'status'
  | 'top'
  | 'start'
  | 'stop'
  | 'restart'
  | 'reload'
  | 'promote'
  | 'rollback'
  | 'scale'
  | 'update'
  | 'upgrade'
  | 'events'
  | 'logs'
  | 'shutdown';

const reloadWait: CommandOption = {
  flag: 'wait',
  kind: 'text',
  values: reloadWaits,
  description:
    'Wait until the new generation serves (--wait or --wait=serving), until its probation is over too (--wait=settled), or until, in addition, all old workers have exited (--wait=drained)',
};

function endWait(description: string): CommandOption {
  return { flag: 'wait', kind: 'text', values: [], description };
}

export const commandTable: readonly CommandRow[] = [
  {
    name: 'list',
    aliases: ['ls', 'ps'],
    description: 'Show a table of programs',
    names: 'programs',
    options: [],
  },
  {
    name: 'status',
    aliases: [],
    description: 'Show one program in detail, or several in a table',
    names: 'programs',
    options: [
      {
        flag: 'watch',
        kind: 'boolean',
        values: [],
        description: 'Show it again every second, until q or Ctrl-C',
      },
    ],
  },
  {
    name: 'top',
    aliases: [],
    description: 'Show what programs and workers do now, again every second, until q or Ctrl-C',
    names: 'programs',
    options: [],
  },
  {
    name: 'start',
    aliases: [],
    description: 'Start programs that are not running',
    names: 'programs',
    options: [reloadWait],
  },
  {
    name: 'stop',
    aliases: [],
    description: 'Stop programs gracefully (twice: at once); a master without a config file exits too',
    names: 'programs',
    options: [endWait('Wait until the workers have exited')],
  },
  {
    name: 'reload',
    aliases: [],
    description: 'Replace the workers by new ones without a failed request',
    names: 'programs',
    options: [reloadWait],
  },
  {
    name: 'promote',
    aliases: [],
    description: 'Continue a reload: end the time of the canary, the pause of a step, or the probation',
    names: 'programs',
    options: [],
  },
  {
    name: 'rollback',
    aliases: ['abort'],
    description: 'Go back to the old workers, during a reload or a probation',
    names: 'programs',
    options: [],
  },
  {
    name: 'restart',
    aliases: [],
    description: 'Stop the workers first, then start new ones; clients wait meanwhile',
    names: 'programs',
    options: [reloadWait],
  },
  {
    name: 'scale',
    aliases: [],
    description: 'Change the number of workers; the last argument is the number, from 1 to 1024',
    names: 'programs',
    takesCount: true,
    options: [],
  },
  {
    name: 'update',
    aliases: [],
    description: 'Read the config file again, and apply what changed',
    names: 'masters',
    options: [{ flag: 'dry-run', kind: 'boolean', values: [], description: 'Only print what would be done' }],
  },
  {
    name: 'upgrade',
    aliases: [],
    description:
      'Replace a master by the version of graceful-run and Node.js that is installed now, while its programs keep running',
    names: 'masters',
    options: [],
  },
  {
    name: 'events',
    aliases: [],
    description: 'Follow events until the masters stop',
    names: 'programs',
    options: [],
  },
  {
    name: 'logs',
    aliases: ['tail'],
    description: 'Show what the workers wrote, with generation and pid',
    names: 'programs',
    options: [
      {
        flag: 'follow',
        short: 'f',
        kind: 'boolean',
        values: [],
        description: 'Keep printing new lines',
      },
      {
        flag: 'lines',
        short: 'n',
        kind: 'text',
        values: [],
        description:
          'How many of the last lines of each log file: a number, or all (default: 20; with --since, all)',
      },
      {
        flag: 'since',
        kind: 'text',
        values: [],
        description: 'Only lines that are no older than this: 30s, 10m, 2h',
      },
      { flag: 'stderr', kind: 'boolean', values: [], description: 'Only what was written to stderr' },
    ],
  },
  {
    name: 'shutdown',
    aliases: [],
    description: 'Stop a master with all of its programs',
    names: 'masters',
    options: [endWait('Wait until the master has exited')],
  },
];

/** The command that prints a completion script for a shell. It takes no names and no options. */
export const completionCommand = {
  name: 'completion',
  usage: 'completion <bash|zsh|fish>',
  description: 'Print a script that makes the shell complete commands, options and names',
} as const;

/** The options of every command. */
export const commonOptions: readonly (CommandOption & { readonly value?: string })[] = [
  { flag: 'json', kind: 'boolean', values: [], description: 'Print JSON, one object per line' },
  {
    flag: 'all',
    kind: 'boolean',
    values: [],
    description: 'Every program; for update, upgrade and shutdown, every master',
  },
  {
    flag: 'name',
    kind: 'text',
    values: [],
    value: '<name>',
    description: 'Same as a name after the command',
  },
];

export const namesOf: Readonly<Record<CommandRow['names'], string>> = {
  programs:
    "Names of programs, patterns ('web-*'), groups ('site:*'), or master:program; not needed if there is only one program",
  masters: 'Names of masters, or patterns; not needed if only one is running',
};

export const commandExamples: readonly (readonly [string, string])[] = [
  ['reload shop --wait', 'reload, and exit 0 only if the new release serves'],
  ["reload 'web-*'", 'reload every program whose name begins with web-'],
  ["restart 'site:*'", 'restart every program of the group site'],
  ['scale shop 4', 'run shop with four workers'],
  ['logs -f shop', 'show the last lines of shop, and those to come'],
];

export const commandExits: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'success'],
  [1, 'failed or refused'],
  [2, 'usage error or wrong config file'],
  [3, 'no such program or master'],
  [4, 'program not running'],
];
