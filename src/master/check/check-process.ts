/** Checks whether workers can have the user, limits and priorities of the plan, by running the programs that set them once, with nothing to do. */
import { spawnSync } from 'node:child_process';
import { GracefulRunError } from '../../shared/errors.ts';
import type { ProgramPlan } from '../config/plan.ts';
import { plainProcess, type ProcessPlan } from '../config/options/launch-options.ts';
import { readAccount } from '../launch/account.ts';
import type { Account } from '../launch/process-wrappers.ts';
import { findWrappers, wrap } from '../launch/wrap-process.ts';
import type { Finding } from './finding.ts';

type ProcessFinding = Pick<Finding, 'option' | 'message' | 'hint'>;

/** Checks the user, limits and priorities of one program. `file`: the executable of the program; null if it is not known. */
export function checkProcess(
  { process: plan, cwd }: ProgramPlan,
  path: string | undefined,
  preload: string,
  file: string | null,
): readonly ProcessFinding[] {
  if (plan === plainProcess) return [];
  const found: ProcessFinding[] = [];
  const account = accountOf(plan, found);
  for (const part of partsOf(plan)) {
    const finding =
      account === undefined && part.option === 'user' ? null : tryOne(part, account ?? null, path);
    if (finding !== null) found.push(finding);
  }
  if (found.length === 0 && account != null)
    found.push(...checkAccess(plan, account, path, { cwd, preload, file }));
  return found;
}

/** The account that the plan names; null if it names none; undefined if it cannot be used, which is noted in `found`. */
function accountOf({ user }: ProcessPlan, found: ProcessFinding[]): Account | null | undefined {
  if (user === null) return null;
  try {
    return readAccount(user);
  } catch (error) {
    if (!(error instanceof GracefulRunError)) throw error;
    found.push({ option: 'user', message: error.message, hint: error.hint });
    return undefined;
  }
}

interface Part {
  readonly option: Exclude<keyof ProcessPlan, 'umask'>;
  readonly plan: ProcessPlan;
}

/** Splits the settings of a process into plans with one setting each, so that it is known which of them fails. */
function partsOf({
  user,
  nice,
  limits,
  noNewPrivileges,
  cpuAffinity,
  oomScoreAdj,
}: ProcessPlan): readonly Part[] {
  const parts: readonly Part[] = [
    { option: 'user', plan: { ...plainProcess, user } },
    { option: 'nice', plan: { ...plainProcess, nice } },
    ...Object.entries(limits).map(([name, value]): Part => ({
      option: 'limits',
      plan: { ...plainProcess, limits: { [name]: value } },
    })),
    { option: 'noNewPrivileges', plan: { ...plainProcess, noNewPrivileges } },
    { option: 'cpuAffinity', plan: { ...plainProcess, cpuAffinity } },
    { option: 'oomScoreAdj', plan: { ...plainProcess, oomScoreAdj } },
  ];
  return parts;
}

function tryOne(
  { option, plan }: Part,
  account: Account | null,
  path: string | undefined,
): ProcessFinding | null {
  try {
    const wrappers = findWrappers(plan, option === 'user' ? account : null, path);
    const problem = wrappers.length === 0 ? null : run(wrap(wrappers, command('exit 0')));
    return problem === null
      ? null
      : { option, message: problem, hint: 'it may need root, or a capability that this user does not have' };
  } catch (error) {
    if (!(error instanceof GracefulRunError)) throw error;
    return { option, message: error.message, hint: error.hint };
  }
}

/** Checks whether the user can access the files that a worker needs: root can read what the user may not. */
function checkAccess(
  plan: ProcessPlan,
  account: Account,
  path: string | undefined,
  { cwd, preload, file }: { readonly cwd: string; readonly preload: string; readonly file: string | null },
): readonly ProcessFinding[] {
  const user = plan.user ?? '';
  const wrappers = findWrappers({ ...plainProcess, user }, account, path);
  const can = (test: '-x' | '-r', what: string): boolean =>
    run(wrap(wrappers, command('test "$1" "$2" || echo no >&2', [test, what]))) === null;
  const hint = 'show where the permission is missing: namei -l ';
  return [
    ...(can('-x', cwd)
      ? []
      : [{ option: 'cwd' as const, message: `user ${user} cannot enter ${cwd}`, hint: hint + cwd }]),
    ...(file === null || can('-x', file)
      ? []
      : [{ option: 'command' as const, message: `user ${user} cannot execute ${file}`, hint: hint + file }]),
    ...(can('-r', preload)
      ? []
      : [
          {
            option: 'user' as const,
            message: `user ${user} cannot read ${preload}, which Node.js workers load`,
            hint: 'install graceful-run where every user can read it',
          },
        ]),
  ];
}

function command(
  script: string,
  args: readonly string[] = [],
): {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
} {
  return { file: '/bin/sh', args: ['-c', script, 'sh', ...args], environment: {} };
}

/** The first line that the command writes to stderr, or else how it fails; null if it succeeds in silence. */
function run({ file, args }: ReturnType<typeof command>): string | null {
  const { stderr, status, error } = spawnSync(file, args, {
    env: {},
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (error !== undefined) return error.message;
  const [line = ''] = stderr.trim().split('\n');
  return line !== '' ? line : status === 0 ? null : `${file} exited with code ${status ?? '?'}`;
}
