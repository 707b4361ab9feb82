/** The errors of operations that the master carried out and that failed. */
import type { ReloadResult, UpdateResult } from '../shared/control-api.ts';
import { reasonOf } from '../shared/describe-failure.ts';
import { GracefulRunError } from '../shared/errors.ts';

/** The error of a start, reload or restart that failed. */
export class ReloadFailure extends GracefulRunError {
  /** What failed and why, with the last lines that the worker wrote to stderr. */
  readonly result: ReloadResult;

  constructor(code: 'startFailed' | 'reloadFailed', message: string, result: ReloadResult) {
    super(code, message);
    this.result = result;
  }
}

/** The error of an update after which at least one program does not serve as the config file wants it. */
export class UpdateFailure extends GracefulRunError {
  /** The result of the update. Its `programs` say which of them failed, and why. */
  readonly result: UpdateResult;

  constructor(message: string, result: UpdateResult) {
    super('reloadFailed', message);
    this.result = result;
  }
}

export function reloadFailure(
  code: 'startFailed' | 'reloadFailed',
  action: string,
  result: ReloadResult,
): ReloadFailure {
  const { generation, failure } = result;
  const reason = failure === null ? '' : `: ${reasonOf(failure)}`;
  return new ReloadFailure(
    code,
    `cannot ${action}: ${generation === 0 ? 'no worker was started' : `generation ${generation} failed`}${reason}`,
    result,
  );
}

export function updateFailure(result: UpdateResult): UpdateFailure {
  const problems = result.programs.flatMap(({ program, problem }) =>
    problem === null ? [] : [`${program}: ${problem}`],
  );
  return new UpdateFailure(`cannot update everything: ${problems.join('; ')}`, result);
}
