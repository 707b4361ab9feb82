/** Puts the programs that set a worker's user, limits and priorities (process-wrappers.ts) before its command, as they are found on this machine. */
import { getPriority } from 'node:os';
import { GracefulRunError } from '../../shared/errors.ts';
import { plainProcess, type ProcessPlan } from '../config/options/launch-options.ts';
import { wrappersOf, type Account, type Wrapper } from './process-wrappers.ts';
import { findInPath } from './resolve-command.ts';
import type { Start } from './trampoline.ts';

export interface FoundWrapper extends Wrapper {
  /** Absolute path of the program. */
  readonly file: string;
}

/** Finds the programs that a worker needs. `account`: the other user that it runs as; null if the user stays the same. Errors: `toolMissing`. */
export function findWrappers(
  plan: ProcessPlan,
  account: Account | null,
  path: string | undefined,
  /** The directories that are searched last: a PATH may lack them. */
  systemFolders = '/usr/bin:/bin',
): readonly FoundWrapper[] {
  if (plan === plainProcess) return [];
  return wrappersOf(plan, { account, niceness: getPriority() }).map((wrapper) => {
    const file = findInPath(wrapper.tool, `${path ?? ''}:${systemFolders}`);
    if (file === null) throw missing(wrapper);
    return { ...wrapper, file };
  });
}

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
