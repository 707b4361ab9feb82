/** The error of an operation that the master tried and that failed, or that it refused, with everything that the master said about it. */
import type { PlanProblem, ReloadResult, UpdateResult } from '../shared/control-api.ts';
import { type ErrorCode, GracefulRunError } from '../shared/errors.ts';
import type { Paint } from '../shared/paint.ts';

interface More {
  readonly hint?: string;
  readonly result?: ReloadResult | UpdateResult;
  readonly problems?: readonly PlanProblem[];
  readonly done?: (paint: Paint) => readonly string[];
  readonly details?: (paint: Paint) => readonly string[];
}

export class OperationFailure extends GracefulRunError {
  /** The master's result; null if it refused, and nothing was changed. */
  readonly result: ReloadResult | UpdateResult | null;
  /** The lines above the message, on stdout: what was done in spite of the failure. */
  readonly done: (paint: Paint) => readonly string[];
  /** The lines below the message: the worker's last lines on stderr, the problems of a file. */
  readonly details: (paint: Paint) => readonly string[];

  constructor(code: ErrorCode, message: string, { hint, result, problems, done, details }: More) {
    super(code, message, { ...(hint === undefined ? {} : { hint }), problems: problems ?? [] });
    this.result = result ?? null;
    this.done = done ?? (() => []);
    this.details = details ?? (() => []);
  }
}
