/** The refusal of what only a program that runs can do. Pure. */
import { GracefulRunError } from '../../shared/errors.ts';

export function programStopped(action: string, program: string): GracefulRunError {
  return new GracefulRunError('programStopped', `cannot ${action} ${program}: it is stopped`, {
    hint: `start it with gracefulctl start ${program}`,
  });
}
