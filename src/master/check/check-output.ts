/** Checks whether the log files of a program can be written and rotated, and whether its daemons listen. Writes and sends nothing. */
import { accessSync, closeSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { messageOf, systemCode } from '../../shared/errors.ts';
import { logfilePath } from '../config/options/output-options.ts';
import type { ProgramPlan } from '../config/plan.ts';
import { daemonReason, plainReason } from '../system-calls/plain-reasons.ts';
import { loadSystemCalls } from '../system-calls/c-library.ts';
import { connectDatagram } from '../system-calls/unix-socket-calls.ts';
import type { Finding } from './finding.ts';

/** Checks the destinations of a program's output. `program`: the name of the program. */
export async function checkOutput({ output }: ProgramPlan, program: string): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    const destination = output[stream];
    // With redirect_stderr, both are the same. They are compared by value, because another process may have read the plan.
    if (stream === 'stderr' && isDeepStrictEqual(destination, output.stdout)) continue;
    const fault =
      destination.to === 'file'
        ? faultOf(logfilePath(destination.path, { name: program, slot: 0 }))
        : destination.to === 'syslog' || destination.to === 'journal'
          ? await faultOfDaemon(destination)
          : null;
    if (fault !== null) found.push({ program, option: `${stream}Logfile`, ...fault });
  }
  return found;
}

async function faultOfDaemon({
  to,
  path,
}: {
  readonly to: 'syslog' | 'journal';
  readonly path: string;
}): Promise<Pick<Finding, 'message' | 'hint'> | null> {
  await loadSystemCalls();
  const connected = connectDatagram(path);
  if (typeof connected === 'number') {
    closeSync(connected);
    return null;
  }
  return {
    message: `cannot send to ${path}: ${daemonReason(connected)}`,
    hint:
      connected === 'EACCES'
        ? 'let the user of graceful-run write to that socket, and search its directories'
        : to === 'syslog'
          ? 'start a syslog daemon, such as rsyslog, or write where its socket is: syslog:/path'
          : 'write where the socket of systemd-journald is: journal:/path',
  };
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

/** The name of the error of access(2); null if there is none. */
function problemWith(path: string, mode: number): string | null {
  try {
    accessSync(path, mode);
    return null;
  } catch (error) {
    return systemCode(error) ?? messageOf(error);
  }
}
