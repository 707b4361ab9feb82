/** The error of a first start, from the failure of its generation. Pure. */
import { errorCodes, GracefulRunError } from '../../shared/errors.ts';
import { reasonOf } from '../../shared/describe-failure.ts';
import type { Failure } from '../../shared/events.ts';

/** `startFailed`, or what kept the command from being run: `commandNotFound` … */
export function startFailed(failure: Failure): GracefulRunError {
  const known = errorCodes.find((code) => code === failure.errorCode);
  return new GracefulRunError(
    known ?? 'startFailed',
    known === undefined ? `cannot start: ${reasonOf(failure)}` : failure.message,
    {
      ...(failure.hint === null ? {} : { hint: failure.hint }),
    },
  );
}
