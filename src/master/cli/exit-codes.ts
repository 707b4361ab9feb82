/** Which exit code an error ends the master with. Pure. */
import { GracefulRunError, type ErrorCode } from '../../shared/errors.ts';

/** 0: stopped on request. */
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
