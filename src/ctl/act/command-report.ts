/** The result of a command for one program or master, as `--json` prints it. */
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

/** What a command has achieved. */
export interface Achieved {
  /**
   * `accepted`: the master has taken the request. `serving`, `settled`, `drained`, `stopped`: what was waited for. `applied`: the new plan is
   * in force. `planned`: a dry run of an update.
   */
  readonly state: 'accepted' | ReloadWait | 'stopped' | 'applied' | 'planned';
  /** The master's answer. */
  readonly result: Decided | ReloadAccepted | ReloadResult | Scaled | StopAccepted | UpdateResult;
  /** The same for a person, without a final line break. */
  readonly text: string;
}

/** The commands that change something. */
export type ActingCommand =
  'start' | 'stop' | 'restart' | 'reload' | 'promote' | 'rollback' | 'scale' | 'update' | 'shutdown';

/** What a command is about. */
export interface Subject {
  /** Null: none was found. */
  readonly master: string | null;
  /** Null: the whole master, as for `update` and `shutdown`. A word that means nothing that runs stands here too. */
  readonly program: string | null;
}

/** What `--json` prints for every command that changes something: one line of this shape for each program, or master. */
export interface Report extends Subject {
  readonly command: ActingCommand;
  readonly ok: boolean;
  /** What gracefulctl exits with if this is the only program, or the one that went worst. */
  readonly exitCode: ExitCode;
  /** How far it got: `failed`, or the state that it waited for. */
  readonly state: Achieved['state'] | 'failed';
  /** The master's answer; null when it has not given one. */
  readonly result: Achieved['result'] | null;
  readonly error: {
    readonly code: ErrorCode | 'internalError';
    readonly message: string;
    readonly hint: string | null;
    /** Of a config file that cannot be used (`planInvalid`). */
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
