/** Which exit code a command of gracefulctl ends with. The same for all commands. */
import { type ErrorCode, GracefulRunError } from '../shared/errors.ts';

/**
 * `failed`: the operation failed or was refused (a reload was rolled back, the master did not answer). `notFound`: there is no
 * such master. `notRunning`: the master is there, but no worker of its program is ready.
 */
export const exitCodes = { done: 0, failed: 1, usage: 2, notFound: 3, notRunning: 4 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const special: { readonly [Code in ErrorCode]?: ExitCode } = {
  badOption: exitCodes.usage,
  masterAmbiguous: exitCodes.usage,
  masterNotFound: exitCodes.notFound,
};

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof GracefulRunError ? (special[error.code] ?? exitCodes.failed) : exitCodes.failed;
}
