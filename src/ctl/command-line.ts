/** Parses the command line of gracefulctl. */
import yargs, { type Argv } from 'yargs';
import { type ReloadWait, reloadWaits } from '../shared/control-api.ts';
import { GracefulRunError } from '../shared/errors.ts';
import { version } from '../shared/version.ts';
import { nearest } from '../shared/nearest.ts';

export type Command =
  | { readonly kind: 'status'; readonly json: boolean }
  | { readonly kind: 'reload'; readonly wait: ReloadWait | null; readonly json: boolean }
  | { readonly kind: 'scale'; readonly workers: number; readonly json: boolean }
  | { readonly kind: 'stop'; readonly wait: boolean; readonly json: boolean }
  | { readonly kind: 'events'; readonly json: boolean };

export interface Request {
  /** The master that is meant; null: the only one. */
  readonly name: string | null;
  readonly command: Command;
}

interface Words {
  program: string | undefined;
  name: string | undefined;
  json: boolean;
}

export const program = 'gracefulctl';

const commandNames = ['status', 'reload', 'scale', 'stop', 'events'] as const;
/** What other tools call these commands. */
const synonyms: Readonly<Record<string, (typeof commandNames)[number]>> = {
  list: 'status',
  ls: 'status',
  ps: 'status',
  restart: 'reload',
  kill: 'stop',
  shutdown: 'stop',
  logs: 'events',
  tail: 'events',
};
const scaleUsage = `${program} scale 3, or ${program} scale <program> 3`;
const describeProgram = 'Name of the program; not needed if only one master runs';

/** The request that the arguments ask for; null when --help or --version has been answered. @throws GracefulRunError badOption. */
export async function parseCommandLine(argv: readonly string[]): Promise<Request | null> {
  let request: Request | null = null;
  const pick = (
    words: { program?: string | undefined; name?: string | undefined },
    command: Command,
  ): void => {
    request = { name: nameIn(words), command };
  };
  await yargs(argv.map(explicitWait))
    .scriptName(program)
    .usage('Usage: $0 <command> [program] [options]\n\nQuery and control a running graceful-run.')
    .option('json', { type: 'boolean', default: false, describe: 'Print JSON, one value per line' })
    .option('name', { type: 'string', requiresArg: true, describe: 'The same as the word after the command' })
    .command(
      'status [program]',
      'Show the program and its workers, or list all masters',
      options,
      (words) => {
        pick(words, { kind: 'status', json: words.json });
      },
    )
    .command(
      'reload [program]',
      'Start a new generation and drain the old one; --wait tells how that ended',
      (command) =>
        options(command).option('wait', {
          type: 'string',
          describe:
            'Return when the new generation serves (--wait, --wait=serving), its probation is over (settled), or when moreover no old worker is left (drained)',
        }),
      (words) => {
        pick(words, { kind: 'reload', wait: waitIn(words.wait), json: words.json });
      },
    )
    .command(
      'scale [program] <n>',
      'Change the number of workers',
      (command) =>
        options(command).positional('n', {
          type: 'string',
          demandOption: true,
          describe: 'Number of workers, from 1 to 1024',
        }),
      // yargs fills <n> first, wherever it stands: with two words, <n> has got the program's name.
      ({ n, program: second, name, json: asJson }) => {
        const [word, workers] = second === undefined ? [undefined, n] : [n, second];
        pick({ program: word, name }, { kind: 'scale', workers: countIn(workers), json: asJson });
      },
    )
    .command(
      'stop [program]',
      'Drain all workers and end the master; --wait waits for the end',
      (command) =>
        options(command).option('wait', { type: 'string', describe: 'Return when the master has ended' }),
      (words) => {
        pick(words, { kind: 'stop', wait: waitsForEnd(words.wait), json: words.json });
      },
    )
    .command('events [program]', 'Follow events until the master stops', options, (words) => {
      pick(words, { kind: 'events', json: words.json });
    })
    .command('$0 [word]', false, {}, ({ word }) => {
      throw unknownCommand(word);
    })
    .example('$0 reload shop --wait', 'reload the program shop; exit 0 only if the new release serves')
    .epilogue('Exit codes: 0 done · 1 failed or refused · 2 usage · 3 no such master · 4 no worker is ready')
    .strict()
    .version(version)
    .help()
    .alias('h', 'help')
    .detectLocale(false)
    .wrap(Math.min(process.stdout.columns || 100, 100))
    .exitProcess(false)
    .fail((message: string | null, error: unknown) => {
      if (error instanceof GracefulRunError) throw error;
      // Only scale has a word that cannot be left out.
      if (message?.startsWith('Not enough non-option arguments') === true)
        throw badOption('cannot scale: the number of workers is missing', scaleUsage);
      throw badOption(
        `cannot understand the command line: ${message ?? String(error)}`,
        `see ${program} --help`,
      );
    })
    .parseAsync();
  return request;
}

/** `--wait` alone takes no value: the word after it is the program's name. */
function explicitWait(word: string): string {
  return word === '--wait' ? '--wait=' : word;
}

function options(command: Argv<{ name: string | undefined; json: boolean }>): Argv<Words> {
  return command.positional('program', { type: 'string', describe: describeProgram });
}

function nameIn(words: { program?: string | undefined; name?: string | undefined }): string | null {
  const { program: word, name } = words;
  if (word !== undefined && name !== undefined && word !== name)
    throw badOption(
      `cannot choose a master: it is called both ${word} and ${name}`,
      'give the name once, after the command',
    );
  return word ?? name ?? null;
}

function waitIn(value: string | undefined): ReloadWait | null {
  if (value === undefined) return null;
  if (value === '') return reloadWaits[0];
  const known = reloadWaits.find((wait) => wait === value);
  if (known !== undefined) return known;
  throw badOption(
    `cannot reload: --wait must be ${reloadWaits.slice(0, -1).join(', ')} or ${reloadWaits.at(-1) ?? ''}, not ${JSON.stringify(value)}`,
    suggestion(nearest(value, reloadWaits), (wait) => `--wait=${wait}`) ?? `see ${program} reload --help`,
  );
}

function waitsForEnd(value: string | undefined): boolean {
  if (value === undefined || value === '') return value === '';
  throw badOption(
    `cannot stop: --wait takes no value here, not ${JSON.stringify(value)}`,
    `${program} stop --wait`,
  );
}

function countIn(text: string): number {
  const count = Number(text);
  if (/^\d{1,4}$/.test(text) && count >= 1 && count <= 1024) return count;
  throw badOption(
    `cannot scale: the number of workers must be a whole number from 1 to 1024, not ${JSON.stringify(text)}`,
    scaleUsage,
  );
}

function unknownCommand(word: unknown): GracefulRunError {
  const all = `the commands are ${commandNames.join(', ')}`;
  if (typeof word !== 'string')
    return badOption('cannot understand the command line: a command is missing', all);
  return badOption(
    `cannot understand the command line: there is no command ${word}`,
    suggestion(synonyms[word] ?? nearest(word, commandNames), (command) => `${program} ${command}`) ?? all,
  );
}

/** `did you mean X?`, or null when there is nothing to suggest. */
export function suggestion(word: string | null, spell: (word: string) => string): string | null {
  return word === null ? null : `did you mean ${spell(word)}?`;
}

function badOption(message: string, hint: string): GracefulRunError {
  return new GracefulRunError('badOption', message, { hint });
}
