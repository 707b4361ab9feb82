/** The exit codes of gracefulctl, which are the same for all commands. */
import { type ErrorCode, GracefulRunError } from '../shared/errors.ts';

/**
 * The exit codes. `failed`: the operation failed or was refused (a reload was rolled back, the master did not answer). `usage`: the command line or
 * the config file is wrong, and nothing was done. `notFound`: there is no such master or program. `notRunning`: the program exists, but none of its
 * workers accepts connections.
 */
export const exitCodes = { done: 0, failed: 1, usage: 2, notFound: 3, notRunning: 4 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const special: { readonly [Code in ErrorCode]?: ExitCode } = {
  badOption: exitCodes.usage,
  planInvalid: exitCodes.usage,
  masterAmbiguous: exitCodes.usage,
  programAmbiguous: exitCodes.usage,
  masterNotFound: exitCodes.notFound,
  programNotFound: exitCodes.notFound,
  programStopped: exitCodes.notRunning,
};

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof GracefulRunError ? (special[error.code] ?? exitCodes.failed) : exitCodes.failed;
}

const worstFirst = [exitCodes.failed, exitCodes.usage, exitCodes.notFound, exitCodes.notRunning] as const;

/** Returns the exit code for several programs together. */
export function worstOf(codes: readonly ExitCode[]): ExitCode {
  return worstFirst.find((code) => codes.includes(code)) ?? exitCodes.done;
}
