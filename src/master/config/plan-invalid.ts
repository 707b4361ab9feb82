/** The error of a plan that is wrong, with everything that is wrong with it. */
import type { PlanProblem } from '../../shared/control-api.ts';
import { describeProblem } from '../../shared/describe-problem.ts';
import { GracefulRunError } from '../../shared/errors.ts';

export class PlanInvalid extends GracefulRunError {
  constructor(file: string | null, problems: readonly PlanProblem[]) {
    const [first] = problems;
    const rest = problems.length - 1;
    const more = rest < 1 ? '' : `, and ${rest} more`;
    super(
      'planInvalid',
      `cannot use ${file ?? 'the plan'}: ${first === undefined ? 'it is wrong' : describeProblem(first)}${more}`,
      { ...(first?.hint == null ? {} : { hint: first.hint }), problems },
    );
  }
}

export function planInvalid(file: string | null, problems: readonly PlanProblem[]): PlanInvalid {
  return new PlanInvalid(file, problems);
}
