/** The words for what is wrong with a plan. Pure. */
import type { PlanProblem } from './control-api.ts';
import { printable } from './printable.ts';

/** `graceful.toml:3:8: program.shop.port: must be a whole number from 0 to 65535`: one line, in the form that editors follow. */
export function describeProblem({ file, line, column, key, message }: PlanProblem): string {
  const place =
    file === null
      ? null
      : [file, line, line === null ? null : column].filter((part) => part !== null).join(':');
  return inOneLine([place, key, message].filter((part) => part !== null).join(': '));
}

/** The same, with what to do about it: `… (did you mean port?)`. */
export function describeProblemAndHint(problem: PlanProblem): string {
  const { hint } = problem;
  return `${describeProblem(problem)}${hint === null ? '' : ` (${inOneLine(hint)})`}`;
}

function inOneLine(text: string): string {
  return printable(text.replace(/\s*\n\s*/g, ' '));
}
