/** The error of a plan that is wrong, with everything that is wrong with it. */
import type { PlanProblem } from '../../shared/control-api.ts';
import { GracefulRunError } from '../../shared/errors.ts';

export class PlanInvalid extends GracefulRunError {
  readonly problems: readonly PlanProblem[];

  constructor(file: string | null, problems: readonly PlanProblem[]) {
    const [first] = problems;
    const rest = problems.length - 1;
    const more = rest < 1 ? '' : `, and ${rest} more`;
    super(
      'planInvalid',
      `cannot use ${file ?? 'the plan'}: ${first === undefined ? 'it is wrong' : describeProblem(first)}${more}`,
      first?.hint == null ? {} : { hint: first.hint },
    );
    this.problems = problems;
  }
}

export function planInvalid(file: string | null, problems: readonly PlanProblem[]): PlanInvalid {
  return new PlanInvalid(file, problems);
}

/** One line: `graceful.toml:3:8: program.shop.port: must be a whole number from 0 to 65535`. */
export function describeProblem({ file, line, column, key, message }: PlanProblem): string {
  const place = file === null ? null : [file, line, column].filter((part) => part !== null).join(':');
  return [place, key, message].filter((part) => part !== null).join(': ');
}
