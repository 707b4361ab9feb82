/** The exit code of the master: that of the program that ends it (programs/exit-code-of-program.ts), or what its own end or an error says. Pure. */
import { GracefulRunError, type ErrorCode } from '../../shared/errors.ts';
import type { Failure } from '../../shared/events.ts';

/** The exit codes of graceful-run itself. 0: stopped on request. */
export const exitCodes = { stopped: 0, failed: 1, usage: 2, notExecutable: 126, notFound: 127 } as const;

type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const special: { readonly [Code in ErrorCode]?: ExitCode } = {
  badOption: exitCodes.usage,
  commandMissing: exitCodes.usage,
  cwdMissing: exitCodes.usage,
  envFileUnreadable: exitCodes.usage,
  userUnusable: exitCodes.usage,
  toolMissing: exitCodes.usage,
  logFileUnusable: exitCodes.usage,
  notWatchable: exitCodes.usage,
  planInvalid: exitCodes.usage,
  commandNotExecutable: exitCodes.notExecutable,
  commandNotFound: exitCodes.notFound,
  masterStopped: exitCodes.stopped,
};

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof GracefulRunError ? (special[error.code] ?? exitCodes.failed) : exitCodes.failed;
}

/**
 * The exit code of the master. `ofProgram`: the code that the program which ends the master asks for; null if none does. `failure`: why the master has
 * ended by itself; null if it was told to stop.
 */
export function chooseExitCode(ofProgram: number | null, failure: Failure | null): number {
  return ofProgram ?? (failure === null ? exitCodes.stopped : exitCodes.failed);
}
