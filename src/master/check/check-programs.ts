/**
 * Checks on this machine what a program is started from, for `graceful-run --check` and for an update. Addresses are not part of it: an update binds
 * them. Only reads. Loaded only for a check or an update.
 */
import type { PlanProblem } from '../../shared/control-api.ts';
import { withoutRepetitions } from '../../shared/describe-problem.ts';
import { inCode } from '../config/options/option-errors.ts';
import type { ProgramPlan } from '../config/plan.ts';
import type { PlanPlaces } from '../config/plan-places.ts';
import { preloadPath } from '../launch/preload-path.ts';
import { checkLaunch } from './check-launch.ts';
import { checkOutput } from './check-output.ts';
import { inFileOrder, toProblem, type Finding } from './finding.ts';

/** Checks one program. `program`: its name. */
export async function checkProgram(
  plan: ProgramPlan,
  program: string,
  environment: NodeJS.ProcessEnv,
): Promise<readonly Finding[]> {
  return [...checkLaunch(plan, program, environment, preloadPath()), ...(await checkOutput(plan, program))];
}

export interface CheckedPrograms {
  /** Names of programs with a problem. */
  readonly faulty: ReadonlySet<string>;
  /** The problems in the order of the file, each of them once. */
  readonly problems: readonly PlanProblem[];
}

/** Everything that is wrong with these programs, which are given by their names. `file`: null if the plan was given by code. */
export async function checkPrograms(
  programs: ReadonlyMap<string, ProgramPlan>,
  environment: NodeJS.ProcessEnv,
  { file, places }: { readonly file: string | null; readonly places: PlanPlaces },
): Promise<CheckedPrograms> {
  const findings: Finding[] = [];
  for (const [name, plan] of programs) findings.push(...(await checkProgram(plan, name, environment)));
  const problems = findings.map((finding) => ({
    ...toProblem(finding, file, places),
    ...(file === null ? { key: `${inCode(finding.program ?? '')}.${finding.option}` } : {}),
  }));
  return {
    faulty: new Set(findings.flatMap(({ program }) => (program === null ? [] : [program]))),
    problems: inFileOrder(withoutRepetitions(problems)),
  };
}
