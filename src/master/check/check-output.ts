/** Checks whether the log files of a program can be written and rotated. Only reads. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, systemCode } from '../../shared/errors.ts';
import { logfilePath } from '../config/output-options.ts';
import type { ProgramPlan } from '../config/plan.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';
import type { Finding } from './finding.ts';

/** `program`: what it is called. */
export function checkOutput({ output }: ProgramPlan, program: string): readonly Finding[] {
  return (['stdout', 'stderr'] as const).flatMap((stream): readonly Finding[] => {
    const destination = output[stream];
    // redirect_stderr: it is the same.
    if (destination.to !== 'file' || (stream === 'stderr' && destination === output.stdout)) return [];
    const path = logfilePath(destination.path, { name: program, slot: 0 });
    const fault = faultOf(path);
    return fault === null ? [] : [{ program, option: `${stream}Logfile`, ...fault }];
  });
}

function faultOf(path: string): Pick<Finding, 'message' | 'hint'> | null {
  const folder = dirname(path);
  const folderProblem = problemWith(folder, constants.W_OK | constants.X_OK);
  if (folderProblem === 'ENOENT' || folderProblem === 'ENOTDIR')
    return { message: `there is no directory ${folder}`, hint: `create it: mkdir -p ${folder}` };
  if (folderProblem !== null)
    return {
      message: `cannot create files in ${folder}: ${plainReason(folderProblem)}`,
      hint: 'rotation creates and renames files there, so the user of graceful-run has to have the right to write to it',
    };
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isFile())
    return { message: `${path} is not a regular file`, hint: 'name a file that graceful-run can rotate' };
  const problem = problemWith(path, constants.W_OK);
  return problem === null
    ? null
    : {
        message: `cannot write to ${path}: ${plainReason(problem)}`,
        hint: 'give it to the user of graceful-run',
      };
}

/** The name of the error; null: there is none. */
function problemWith(path: string, mode: number): string | null {
  try {
    accessSync(path, mode);
    return null;
  } catch (error) {
    return systemCode(error) ?? messageOf(error);
  }
}
