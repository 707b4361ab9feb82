/** The error of a reload that was rolled back. */
import type { ReloadResult } from '../shared/control-api.ts';
import { GracefulRunError } from '../shared/errors.ts';

/** A reload that failed; its result says more: what to do, the worker's last lines on stderr. */
export class ReloadFailure extends GracefulRunError {
  readonly result: ReloadResult;

  constructor(message: string, result: ReloadResult) {
    super('reloadFailed', message);
    this.result = result;
  }
}
