/** Puts the programs that set a worker's user, limits and priorities (process-wrappers.ts) before its command, as they are found on this machine. */
import { spawnSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { GracefulRunError, messageOf } from '../../shared/errors.ts';
import { plainProcess, type ProcessPlan } from '../config/options/launch-options.ts';
import { wrappersOf, type Account, type Wrapper } from './process-wrappers.ts';
import { findInPath } from './resolve-command.ts';
import type { Start } from './trampoline.ts';

export interface FoundWrapper extends Wrapper {
  /** Absolute path of the program. */
  readonly file: string;
}

/**
 * Finds the programs that a worker needs. `account`: the other user that it runs as; null if the user stays the same. Errors: `toolMissing`;
 * `startFailed` if the nice value cannot be set.
 */
export function findWrappers(
  plan: ProcessPlan,
  account: Account | null,
  path: string | undefined,
  /** The directories that are searched last, because PATH may lack them. */
  systemFolders = '/usr/bin:/bin',
): readonly FoundWrapper[] {
  if (plan === plainProcess) return [];
  const niceness = getPriority();
  return wrappersOf(plan, { account, niceness }).map((wrapper) => {
    const file = findInPath(wrapper.tool, `${path ?? ''}:${systemFolders}`);
    if (file === null) throw missing(wrapper);
    const found = { ...wrapper, file };
    if (wrapper.tool === 'nice' && plan.nice !== null && plan.nice < niceness)
      checkNice(found, { wanted: plan.nice, own: niceness });
    return found;
  });
}

/**
 * Fails if nice(1) does not reach the value: if it may not, it only prints an error, and runs the command nevertheless, so the start would succeed with the
 * wrong value. The others exit with a code other than 0. Without a command, nice(1) prints its own value. A value above that of the master needs no right.
 */
function checkNice(
  { file, words }: FoundWrapper,
  { wanted, own }: { readonly wanted: number; readonly own: number },
): void {
  const { stdout, stderr, error } = spawnSync(file, [...words, file], {
    env: {},
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: checkTimeoutMs,
  });
  // The outputs are null if it could not be started.
  if (error === undefined && stdout.trim() === String(wanted)) return;
  const [line = ''] = error === undefined ? stderr.trim().split('\n') : [messageOf(error)];
  throw new GracefulRunError(
    'startFailed',
    `cannot set nice to ${wanted}: ${line === '' ? `${file} does not reach it` : line}`,
    { hint: `a value below that of graceful-run (${own}) needs root or CAP_SYS_NICE` },
  );
}

const checkTimeoutMs = 5_000;

export function wrap(wrappers: readonly FoundWrapper[], start: Start): Start {
  const words = wrappers.flatMap(({ file, words: before }) => [file, ...before]);
  const [file, ...args] = words;
  return file === undefined ? start : { ...start, file, args: [...args, start.file, ...start.args] };
}

const optionKeys: Readonly<Record<Wrapper['option'], string>> = {
  user: 'user (--user)',
  nice: 'nice',
  limits: 'limits',
  noNewPrivileges: 'no_new_privileges',
  cpuAffinity: 'cpu_affinity',
  oomScoreAdj: 'oom_score_adj',
};

function missing({ tool, option }: Wrapper): GracefulRunError {
  const key = optionKeys[option];
  return new GracefulRunError('toolMissing', `cannot set ${key}: ${tool} is not installed`, {
    hint: `install ${tool === 'nice' ? 'coreutils' : 'util-linux'}, which has it, or leave ${key} out`,
  });
}
