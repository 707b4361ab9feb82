/** The result of a command for one program or master, as `--json` prints it. */
import type { Upgraded } from '../../shared/ask-to-upgrade.ts';
import type { CommandName } from '../command-table.ts';
import type {
  Decided,
  PlanProblem,
  ReloadAccepted,
  ReloadResult,
  ReloadWait,
  Scaled,
  StopAccepted,
  UpdateResult,
} from '../../shared/control-api.ts';
import { type ErrorCode, GracefulRunError, messageOf } from '../../shared/errors.ts';
import { type ExitCode, exitCodeOf, exitCodes } from '../ctl-exit-codes.ts';
import { OperationFailure } from '../operation-failure.ts';

/** The result of a command that succeeded. */
export interface Achieved {
  /**
   * How far the command got. `accepted`: the master has taken the request. `serving`, `settled`, `drained`, `stopped`: the state that it waited for
   * is reached. `applied`: the new plan is in force. `planned`: a dry run of an update. `upgraded`: the new version of the master answers.
   */
  readonly state: 'accepted' | ReloadWait | 'stopped' | 'applied' | 'planned' | 'upgraded';
  /** The master's answer; for an upgrade, which has none, the versions. */
  readonly result: Decided | ReloadAccepted | ReloadResult | Scaled | StopAccepted | UpdateResult | Upgraded;
  /** The result as text for a person, without a final line break. */
  readonly text: string;
}

/** The commands that change something. */
export type ActingCommand = Exclude<CommandName, 'list' | 'status' | 'top' | 'events' | 'logs'>;

/** The master or the program that a command is about. A word that names neither of them takes the place of the name. */
export interface Subject {
  /** The name of the master; null if none was found. */
  readonly master: string | null;
  /** The name of the program; null for a whole master, as with `update`, `upgrade` and `shutdown`. */
  readonly program: string | null;
}

/** What `--json` prints for every command that changes something: one line of this shape for each program, or master. */
export interface Report extends Subject {
  readonly command: ActingCommand;
  readonly ok: boolean;
  /** The exit code for this program. gracefulctl ends with the worst exit code of all programs. */
  readonly exitCode: ExitCode;
  /** How far it got: `failed`, or the state that it waited for. */
  readonly state: Achieved['state'] | 'failed';
  /** The master's answer; null if it has not given one. */
  readonly result: Achieved['result'] | null;
  readonly error: {
    readonly code: ErrorCode | 'internalError';
    readonly message: string;
    readonly hint: string | null;
    /** The problems of a config file that cannot be used (`planInvalid`). */
    readonly problems?: readonly PlanProblem[];
  } | null;
}

export function reportOf(
  command: ActingCommand,
  subject: Subject,
  outcome: { readonly achieved: Achieved } | { readonly error: unknown },
): Report {
  const { master, program } = subject;
  if ('achieved' in outcome) {
    const { state, result } = outcome.achieved;
    return { command, ok: true, master, program, exitCode: exitCodes.done, state, result, error: null };
  }
  const { error } = outcome;
  const result = error instanceof OperationFailure ? error.result : null;
  return {
    command,
    ok: false,
    master,
    program,
    exitCode: exitCodeOf(error),
    state: 'failed',
    result,
    error: describeError(error),
  };
}

function describeError(error: unknown): Report['error'] {
  if (!(error instanceof GracefulRunError))
    return { code: 'internalError', message: messageOf(error), hint: null };
  const { code, message, hint } = error;
  const problems = error instanceof OperationFailure ? error.problems : [];
  return { code, message, hint, ...(problems.length === 0 ? {} : { problems }) };
}
