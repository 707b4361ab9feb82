/** gracefulctl: the operator's command line. It owns what each command needs and the exit code; the rest is in the commands. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientFolders } from '../shared/control-path.ts';
import { describeFailure } from '../shared/describe-failure.ts';
import { renderError } from '../shared/render-error.ts';
import { parseCommandLine, program, type Request } from './command-line.ts';
import { followEvents } from './follow-events.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './ctl-exit-codes.ts';
import { findMaster, type Search } from './find-master.ts';
import { reload } from './reload.ts';
import { ReloadFailure } from './reload-failure.ts';
import { showingProgress } from './progress.ts';
import { reporting } from './report.ts';
import { scale } from './scale.ts';
import { showStatus } from './show-status.ts';
import { stop } from './stop.ts';
import { openTerminal, type Terminal } from './output-streams.ts';

/** Runs the command in `argv` (without node and script) and sets the exit code. Never rejects. */
export async function main(argv: readonly string[]): Promise<void> {
  const terminal = openTerminal();
  try {
    const request = await parseCommandLine(argv);
    // --help and --version have been answered.
    process.exitCode = request === null ? exitCodes.done : await obey(request, terminal);
  } catch (error) {
    const failure = error instanceof ReloadFailure ? error.result.failure : null;
    const details = failure === null ? [] : describeFailure(failure, terminal.errStyles);
    terminal.err([renderError(error, program), ...details].map((line) => `${line}\n`).join(''));
    process.exitCode = exitCodeOf(error);
  }
}

async function obey({ name, command }: Request, terminal: Terminal): Promise<ExitCode> {
  const search = searchFor(command.kind);
  const waiting = (waits: boolean): Terminal => ({
    ...terminal,
    isInteractive: waits && terminal.isInteractive,
  });
  switch (command.kind) {
    case 'status':
      return showStatus(name, search, command, terminal);
    case 'events':
      await followEvents(await findMaster(name, search), command, terminal);
      return exitCodes.done;
    case 'reload':
      return reporting(name, search, command, terminal, (master) =>
        showingProgress(master, waiting(command.wait !== null), () => reload(master, command.wait)),
      );
    case 'scale':
      return reporting(name, search, command, terminal, (master) => scale(master, command.workers));
    case 'stop':
      return reporting(name, search, command, terminal, (master) =>
        showingProgress(master, waiting(command.wait), () => stop(master, command.wait)),
      );
  }
}

function searchFor(command: string): Search {
  const uid = process.geteuid?.() ?? 0;
  const folders = clientFolders(process.env, uid);
  const only = process.env['GRACEFUL_RUN_CONTROL_FOLDER'] ?? '';
  return { folders, foreignFolders: only === '' ? foreignFolders() : [], uid, command };
}

/** Where masters of other users usually have their sockets. */
function foreignFolders(): readonly string[] {
  return [
    '/run/graceful-run',
    ...entriesOf('/run/user').map((user) => join('/run/user', user, 'graceful-run')),
    ...entriesOf(tmpdir())
      .filter((entry) => /^graceful-run-\d+$/.test(entry))
      .map((entry) => join(tmpdir(), entry)),
  ];
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
