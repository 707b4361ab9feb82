/**
 * Finds the processes of a worker wherever they have gone: a daemon that forks twice and begins a session of its own has lost its parent, its group and its
 * session. What it has kept is its environment, unless it has cleared that. Linux only.
 */
import { hasEnded, readAllProcesses, readProcessStat, type ProcessStat } from '../../shared/process-stat.ts';
import { readProcessVariable } from '../../shared/process-variable.ts';
import { env } from '../../shared/protocol.ts';
import { oncePerTurn } from '../sockets/once-per-turn.ts';
import { killGroups } from './control-group.ts';
import { killTree, wasKilled } from './process-tree.ts';

/** `isWanted`: of the value that it has for `env.tree`. */
export function findMembers(isWanted: (tree: string) => boolean): readonly ProcessStat[] {
  return members()
    .filter(({ stat, tree }) => isWanted(tree) && !wasKilled(stat.pid))
    .map(({ stat }) => stat);
}

/** Processes that have lost their parent: those of another program may still run, and be busy. */
const members = oncePerTurn((): readonly { readonly stat: ProcessStat; readonly tree: string }[] => {
  const self = readProcessStat('self');
  if (self === null) return [];
  return readAllProcesses()
    .filter((one) => one.pid !== self.pid && one.startedAt >= self.startedAt && !hasEnded(one))
    .flatMap((stat) => {
      const tree = readProcessVariable(stat.pid, env.tree);
      return tree === null ? [] : [{ stat, tree }];
    });
});

/**
 * Kills what the workers of a program, all of which have ended, have left behind, with all that this has started. Answers the pids: nothing that was killed
 * with its worker, and has not ended yet, was left behind.
 */
export function killLeftovers(treeOfProgram: string): readonly number[] {
  const isOfProgram = (tree: string): boolean => tree.startsWith(`${treeOfProgram}.`);
  const pids = findMembers(isOfProgram).map(({ pid }) => pid);
  if (pids.length > 0) killTree({ pids, sessions: [] });
  return [...new Set([...pids, ...killGroups(isOfProgram)])];
}
