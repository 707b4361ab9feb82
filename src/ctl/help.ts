/** Prints `gracefulctl --help`, and that of its commands, with yargs, which is loaded only for this: it takes longer to load than all the rest. */
import yargs, { type Argv } from 'yargs';
import { version } from '../shared/version.ts';
import {
  commandExamples,
  commandExits,
  type CommandRow,
  commandTable,
  completionCommand,
  commonOptions,
  namesOf,
} from './command-table.ts';

/** Prints the help for these arguments, which ask for it. */
export async function printHelp(argv: readonly string[]): Promise<void> {
  const builder = yargs([...argv])
    .scriptName('gracefulctl')
    .usage(
      'Usage: $0 <command> [names..] [options]\n\nQuery and control the programs that graceful-run runs.',
    );
  for (const { flag, kind, value, description } of commonOptions)
    builder.option(flag, {
      type: kind === 'boolean' ? 'boolean' : 'string',
      ...(kind === 'boolean' ? { default: false } : {}),
      ...(value === undefined ? {} : { requiresArg: true }),
      describe: description,
    });
  for (const row of commandTable)
    builder.command([`${row.name} [names..]`, ...row.aliases], row.description, (command: Argv) =>
      withArguments(command, row),
    );
  for (const [words, meaning] of commandExamples) builder.example(`$0 ${words}`, meaning);
  await builder
    .command(completionCommand.usage, completionCommand.description)
    .epilogue(`Exit codes: ${commandExits.map(([code, meaning]) => `${code} ${meaning}`).join(' · ')}`)
    .version(version)
    .help()
    .alias('h', 'help')
    .detectLocale(false)
    .wrap(Math.min(process.stdout.columns || 100, 100))
    .exitProcess(false)
    .parseAsync();
}

function withArguments(command: Argv, { names, options }: CommandRow): Argv {
  command.positional('names', { type: 'string', array: true, describe: namesOf[names] });
  for (const { flag, short, kind, description } of options)
    command.option(flag, {
      ...(short === undefined ? {} : { alias: short }),
      type: kind === 'boolean' ? 'boolean' : 'string',
      ...(kind === 'boolean' ? { default: false } : {}),
      describe: description,
    });
  return command;
}
