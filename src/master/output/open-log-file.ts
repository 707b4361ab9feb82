/** Opens a log file, which must be a regular file, and words the errors of opening and writing it. */
import { closeSync, constants, fstatSync, open, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { GracefulRunError, messageOf, systemCode } from '../../shared/errors.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';

// O_NONBLOCK, because a named pipe without a reader would block the master.
const openFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

const notRegular = 'it is not a regular file';

/** Why the file cannot be opened or written, for events. */
export function problemOf(error: unknown): string {
  return error instanceof GracefulRunError ? notRegular : plainReason(systemCode(error) ?? messageOf(error));
}

/** Does something that may fail with a file that was just opened, and closes the file if it fails: nothing else would. */
export function orClose<Result>(opened: number, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    closeSync(opened);
    throw error;
  }
}

/** Opens a regular file. `path`: its name in messages. Errors: those of the system, and `logFileUnusable`. */
export async function openRegular(place: string, path: string, mode: number): Promise<number> {
  const opened = await promisify(open)(place, openFlags, mode);
  refuseOthers(path, opened);
  return opened;
}

/** Opens a regular file, and blocks until that is done. Errors: `logFileUnusable`. */
export function openNow(place: string, path: string): number {
  let opened: number;
  try {
    opened = openSync(place, openFlags);
  } catch (error) {
    throw unusable(path, error);
  }
  refuseOthers(path, opened);
  return opened;
}

/** Throws and closes the file unless it is a regular one: a device or a pipe cannot be rotated, and a reader that stops would block the master's threads. */
function refuseOthers(path: string, opened: number): void {
  if (fstatSync(opened).isFile()) return;
  closeSync(opened);
  throw new GracefulRunError('logFileUnusable', `cannot use the log file ${path}: ${notRegular}`, {
    hint: 'leave the option out (inherit) to write to the stdout and stderr of graceful-run',
  });
}

export function unusable(path: string, cause: unknown): GracefulRunError {
  const code = systemCode(cause);
  return new GracefulRunError(
    'logFileUnusable',
    `cannot open the log file ${path}: ${plainReason(code ?? messageOf(cause))}`,
    {
      hint:
        code === 'ENOENT'
          ? 'create its directory'
          : 'choose a file that the user of graceful-run may write to',
      cause,
    },
  );
}
