/** The error of a reload that was rolled back. */
import type { ReloadResult } from '../shared/control-api.ts';
import { GracefulRunError } from '../shared/errors.ts';

/** A reload that failed, with the lines that say more: how the worker ended, what to do, its last lines on stderr. */
export class ReloadFailure extends GracefulRunError {
  readonly details: readonly string[];
  readonly result: ReloadResult;

  constructor(message: string, details: readonly string[], result: ReloadResult) {
    super('reloadFailed', message);
    this.details = details;
    this.result = result;
  }
}
