/** gracefulctl: the operator's command line. It knows what each command needs, and sets the exit code; the commands do the rest. */
import { renderError } from '../shared/render-error.ts';
import { forMasters, forPrograms } from './act/operate.ts';
import { OperationFailure } from './operation-failure.ts';
import { promoteOrRollBack } from './act/promote-or-rollback.ts';
import { startGeneration } from './act/reload.ts';
import { scale } from './act/scale.ts';
import { shutDown, stop } from './act/stop.ts';
import { update } from './act/update.ts';
import { upgrade } from './act/upgrade.ts';
import { answerCompletion } from './shell-completion.ts';
import { type Command, parseCommandLine, program, type Request } from './command-line.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './ctl-exit-codes.ts';
import { openTerminal, type Terminal } from './output-streams.ts';
import { showEvents } from './show/follow-events.ts';
import { showTop, watchStatus } from './show/show-top.ts';
import { showLogs } from './show/show-logs.ts';
import { showStatus } from './show/show-status.ts';

/** The commands that change nothing, which may end at any time. */
const onlyShows: ReadonlySet<Command['kind']> = new Set(['list', 'status', 'top', 'events', 'logs']);

/** Runs the command in `argv` (without node and script) and sets the exit code. Never rejects. */
export async function main(argv: readonly string[]): Promise<void> {
  const terminal = openTerminal();
  try {
    const answer = await answerCompletion(argv);
    if (answer !== null) {
      terminal.out(answer);
      return;
    }
    const request = await parseCommandLine(argv);
    if (request !== null && !onlyShows.has(request.command.kind)) terminal.outliveStdout();
    // --help and --version have been answered.
    process.exitCode = request === null ? exitCodes.done : await obey(request, terminal);
  } catch (error) {
    const details = error instanceof OperationFailure ? error.details(terminal.errStyles) : [];
    terminal.err([renderError(error, program), ...details].map((line) => `${line}\n`).join(''));
    process.exitCode = exitCodeOf(error);
  }
}

async function obey(request: Request, terminal: Terminal): Promise<ExitCode> {
  const { command } = request;
  switch (command.kind) {
    case 'list':
      return showStatus(request, { ...command, asTable: true }, terminal);
    case 'status':
      return command.isWatching
        ? watchStatus(request, terminal)
        : showStatus(request, { ...command, asTable: false }, terminal);
    case 'top':
      return showTop(request, command, terminal);
    case 'events':
      return showEvents(request, command, terminal);
    case 'logs':
      return showLogs(request, command, terminal);
    case 'start':
    case 'reload':
    case 'restart':
      return forPrograms(request, command, command.wait !== null, terminal, (one) =>
        startGeneration(command.kind, one, command.wait),
      );
    case 'promote':
    case 'rollback':
      return forPrograms(request, command, false, terminal, (one) => promoteOrRollBack(command.kind, one));
    case 'scale':
      return forPrograms(request, command, false, terminal, (one) => scale(one, command.workers));
    case 'stop':
      return forPrograms(request, command, command.wait, terminal, (one) => stop(one, command.wait));
    case 'update':
      return forMasters(request, command, !command.dryRun, terminal, (master) =>
        update(master, command.dryRun, terminal.styles),
      );
    case 'upgrade':
      return forMasters(request, command, true, terminal, upgrade);
    case 'shutdown':
      return forMasters(request, command, command.wait, terminal, (master) => shutDown(master, command.wait));
  }
}
