/** The error of a listener that cannot be bound or set up, with the listener that it is about. Pure. */
import { GracefulRunError } from '../../shared/errors.ts';
import type { ListenerPlan } from '../config/plan.ts';

export class ListenerError extends GracefulRunError {
  /** The name of the listener in its plan. */
  readonly listener: string;

  constructor({ code, message, hint, cause }: GracefulRunError, listener: string) {
    super(code, message, { ...(hint === null ? {} : { hint }), cause });
    this.listener = listener;
  }
}

/** Does something for a listener of a plan. Errors: `ListenerError` with the code and message of any GracefulRunError of the action, and all others as they are. */
export async function forListener<Result>(
  { name }: ListenerPlan,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof GracefulRunError ? new ListenerError(error, name) : error;
  }
}
