/** Words for the problems of a plan. Pure. */
import { relative } from 'node:path';
import type { PlanProblem } from './control-api.ts';
import { printable } from './printable.ts';

/**
 * Describes the problem in one line, in the form that editors follow: `graceful.toml:3:8: program.shop.port: must be a whole number from 0 to 65535`.
 * Files below `folder` are named relative to it.
 */
export function describeProblem(
  { file, line, column, key, message }: PlanProblem,
  folder: string | null = null,
): string {
  const place =
    file === null
      ? null
      : [shorten(file, folder), line, line === null ? null : column]
          .filter((part) => part !== null)
          .join(':');
  return inOneLine([place, key, message].filter((part) => part !== null).join(': '));
}

/** Describes the problem, and adds the hint if there is one: `… (did you mean port?)`. */
export function describeProblemAndHint(problem: PlanProblem, folder: string | null = null): string {
  const { hint } = problem;
  return `${describeProblem(problem, folder)}${hint === null ? '' : ` (${inOneLine(hint)})`}`;
}

/** Removes repeated problems and keeps the order: a value of `[defaults]` that is wrong is wrong for every program. */
export function withoutRepetitions(problems: readonly PlanProblem[]): readonly PlanProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

function shorten(file: string, folder: string | null): string {
  const path = folder === null ? file : relative(folder, file);
  return path === '' || path.startsWith('..') ? file : path;
}

function inOneLine(text: string): string {
  return printable(text.replaceAll(/\s*[\r\n]\s*/g, ' '));
}
