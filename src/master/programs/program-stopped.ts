/** The error for a request that needs a program that runs. Pure. */
import { GracefulRunError } from '../../shared/errors.ts';

export function programStopped(action: string, program: string): GracefulRunError {
  return new GracefulRunError('programStopped', `cannot ${action} ${program}: it is stopped`, {
    hint: `start it with gracefulctl start ${program}`,
  });
}
