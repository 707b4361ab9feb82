/**
 * gracefulctl: the operator's command line. It owns the commands, their options and the exit codes
 * (0 done, 1 failed or refused, 2 usage); it must not know what is said over the control socket.
 */
import yargs, { type Argv } from 'yargs';
import { controlFolders } from '../shared/control-path.ts';
import { GracefulRunError } from '../shared/errors.ts';
import { renderError } from '../shared/render-error.ts';
import { version } from '../shared/version.ts';
import { followEvents } from './events.ts';
import { type FoundMaster, findMaster } from './find-master.ts';
import { reload, ReloadFailure } from './reload.ts';
import { showStatus } from './status.ts';
import { stop } from './stop.ts';
import { openTerminal, type Terminal } from './terminal.ts';

type Command = (master: FoundMaster, terminal: Terminal) => Promise<void>;

interface Chosen {
  readonly name: string | undefined;
  readonly run: Command;
}

interface Named {
  name: string | undefined;
}

const program = 'gracefulctl';

/** Runs the command in `argv` (without node and script) and sets the exit code. Never rejects. */
export async function main(argv: readonly string[]): Promise<void> {
  const terminal = openTerminal();
  try {
    const chosen = await choose(argv);
    // --help and --version have been answered.
    if (chosen === null) return;
    const uid = process.geteuid?.() ?? 0;
    const master = await findMaster(chosen.name, controlFolders(process.env, uid), uid);
    await chosen.run(master, terminal);
  } catch (error) {
    const details = error instanceof ReloadFailure ? error.details : [];
    terminal.err([renderError(error, program), ...details].map((line) => `${line}\n`).join(''));
    process.exitCode = error instanceof GracefulRunError && error.code === 'badOption' ? 2 : 1;
  }
}

/** The command that the arguments ask for. @throws GracefulRunError badOption. */
async function choose(argv: readonly string[]): Promise<Chosen | null> {
  let chosen: Chosen | null = null;
  const pick = (name: string | undefined, run: Command): void => {
    chosen = { name, run };
  };
  await yargs([...argv])
    .scriptName(program)
    .usage('$0 <command>\n\nAsks a running graceful-run: how it is, to reload, to stop.')
    .option('name', {
      type: 'string',
      requiresArg: true,
      describe: 'The program whose master is meant; not needed when one master runs',
    })
    .command('status', 'Show the program and its workers [--json]', jsonOption, ({ name, json }) => {
      pick(name, (master, terminal) => showStatus(master, { json }, terminal));
    })
    .command(
      'reload',
      'Start a new generation and drain the old one [--wait]',
      waitOption,
      ({ name, wait }) => {
        pick(name, (master, terminal) => reload(master, { wait }, terminal));
      },
    )
    .command('stop', 'Drain all workers and end the master [--wait]', waitOption, ({ name, wait }) => {
      pick(name, (master, terminal) => stop(master, { wait }, terminal));
    })
    .command(
      'events',
      'Print what happens, until the master stops [--json]',
      jsonOption,
      ({ name, json }) => {
        pick(name, (master, terminal) => followEvents(master, { json }, terminal));
      },
    )
    .demandCommand(1, 1, 'a command is missing', 'one command at a time')
    .strictCommands()
    .strictOptions()
    .version(version)
    .help()
    .alias('h', 'help')
    .detectLocale(false)
    .wrap(Math.min(process.stdout.columns || 100, 100))
    .exitProcess(false)
    .fail((message, error) => {
      throw new GracefulRunError('badOption', `cannot understand the command line: ${message}`, {
        hint: `see ${program} --help`,
        cause: error,
      });
    })
    .parseAsync();
  return chosen;
}

function jsonOption(command: Argv<Named>): Argv<Named & { json: boolean }> {
  return command.option('json', {
    type: 'boolean',
    default: false,
    describe: 'Print JSON, one value a line',
  });
}

function waitOption(command: Argv<Named>): Argv<Named & { wait: boolean }> {
  return command.option('wait', {
    type: 'boolean',
    default: false,
    describe: 'Return when it is done; exit 1 when it failed',
  });
}
