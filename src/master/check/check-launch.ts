/**
 * Checks what a program is started from, as it is looked up for a worker: its environment file, working directory, executable, own file and
 * watched paths. Only reads.
 */
import { accessSync, constants } from 'node:fs';
import { isAbsolute } from 'node:path';
import { GracefulRunError, messageOf, systemCode } from '../../shared/errors.ts';
import { plainProcess } from '../config/options/launch-options.ts';
import type { ProgramPlan } from '../config/plan.ts';
import { hintForMissingFile } from '../launch/command-errors.ts';
import { readEnvFile } from '../launch/env-file.ts';
import { prepareWorker } from '../launch/prepare-worker.ts';
import { missingFileOf, programFile } from '../launch/program-file.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';
import { probe } from '../watch/content-probe.ts';
import { followRoute, inside } from '../watch/path-route.ts';
import { checkProcess } from './check-process.ts';
import type { CheckedOption, Finding } from './finding.ts';

export function checkLaunch(
  plan: ProgramPlan,
  program: string,
  inherited: NodeJS.ProcessEnv,
  preload: string,
): readonly Finding[] {
  const found: Finding[] = [];
  const note = (option: CheckedOption, error: unknown): void => {
    found.push({ program, option, message: messageOf(error), hint: hintOf(error) });
  };

  const { environmentFile } = plan;
  const fileError = environmentFile === null ? null : errorOf(() => readEnvFile(environmentFile));
  if (fileError !== null) note('environmentFile', fileError);
  // The plan without user, limits and priorities, which are checked below, and without an environment file that cannot be read.
  const readable = {
    ...plan,
    process: plainProcess,
    environmentFile: fileError === null ? plan.environmentFile : null,
  };

  const launched = attempt(() => prepare(readable, inherited, preload));
  if (!(launched instanceof Error)) {
    const { environment } = launched;
    const own = attempt(() => programFile(plan.command, { cwd: plan.cwd, environment }));
    const missing = own instanceof Error ? missingFileOf(own) : null;
    if (missing !== null)
      found.push({
        program,
        option: 'command',
        message: `there is no file ${missing.path}`,
        hint: hintForMissingFile(missing.isRelative, plan.cwd),
      });
    else if (own instanceof Error && plan.watch?.length === 0) note('watch', own);
  } else if (isAbout(launched, 'cwdMissing')) {
    note('cwd', launched);
    // An executable can still be looked up if its path does not depend on the folder.
    const [name = ''] = plan.command;
    if (isAbsolute(name) || !name.includes('/')) {
      const again = attempt(() => prepare({ ...readable, cwd: '/' }, inherited, preload));
      if (again instanceof Error && isKnowable(again)) note('command', again);
    }
  } else if (isKnowable(launched)) note('command', launched);

  const file = launched instanceof Error ? null : launched.program;
  for (const finding of checkProcess(plan, inherited['PATH'], preload, file))
    found.push({ program, ...finding });

  for (const [item, path] of (plan.watch ?? []).entries()) {
    const problem = watchProblem(path);
    if (problem !== null)
      found.push({
        program,
        option: 'watch',
        item,
        message: `cannot watch ${path}: ${problem}`,
        hint: 'name files or directories that exist and can be read',
      });
  }
  return found;

  /** Whether the error is certain. An environment file may set PATH: while it cannot be read, it is not known where a command would be found. */
  function isKnowable(error: Error): boolean {
    return fileError === null || !isAbout(error, 'commandNotFound') || (plan.command[0] ?? '').includes('/');
  }
}

/** The hint for an error. Hints of a start that name options of the command line, or say where its relative paths start, are replaced. */
function hintOf(error: unknown): string | null {
  if (!(error instanceof GracefulRunError)) return null;
  if (error.code === 'cwdMissing' && error.cause === undefined) return 'name the directory of the program';
  if (error.code === 'envFileUnreadable' && systemCode(error.cause) === 'ENOENT')
    return 'it must exist at every start and reload';
  return error.code === 'notWatchable' ? 'name what to watch' : error.hint;
}

function prepare(
  plan: ProgramPlan,
  inherited: NodeJS.ProcessEnv,
  preload: string,
): ReturnType<typeof prepareWorker> {
  return prepareWorker(plan, [], inherited, preload, null, { generation: 1, slot: 0, tree: '' });
}

/** Says why the path cannot be watched; null if it can. */
function watchProblem(path: string): string | null {
  const route = followRoute(path, (directory, name) => probe(inside(directory, name)));
  switch (route.kind) {
    case 'missing':
      return 'no such file or directory';
    case 'special':
      return 'it is neither a file nor a directory';
    case 'unreadable':
      return plainReason(route.code);
    case 'file':
    case 'directory': {
      const wanted = route.kind === 'file' ? constants.R_OK : constants.R_OK | constants.X_OK;
      const error = errorOf(() => {
        accessSync(route.realpath, wanted);
      });
      return error === null ? null : plainReason(systemCode(error) ?? error.message);
    }
  }
}

function isAbout(error: Error, code: GracefulRunError['code']): boolean {
  return error instanceof GracefulRunError && error.code === code;
}

function errorOf(action: () => unknown): Error | null {
  const result = attempt(action);
  return result instanceof Error ? result : null;
}

function attempt<Result>(action: () => Result): Result | Error {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
