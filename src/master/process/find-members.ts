/**
 * Finds the processes of a worker wherever they have gone. A daemon that forks twice and begins a session of its own has lost its parent, its group and
 * its session, but still has its environment, unless it has cleared that. Linux only.
 */
import { hasEnded, readAllProcesses, readProcessStat, type ProcessStat } from '../../shared/process-stat.ts';
import { readProcessVariable } from '../../shared/process-variable.ts';
import { env } from '../../shared/protocol.ts';
import { oncePerTurn } from '../sockets/once-per-turn.ts';
import { killGroups } from './control-group.ts';
import { killTree, wasKilled } from './process-tree.ts';

/** The processes with a wanted value of `env.tree` in their environment. */
export function findMembers(isWanted: (tree: string) => boolean): readonly ProcessStat[] {
  return members()
    .filter(({ stat, tree }) => isWanted(tree) && !wasKilled(stat.pid))
    .map(({ stat }) => stat);
}

/** The processes of all workers of this master, each with the value of `env.tree` in its environment. */
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
 * Kills everything that the workers of a program have left behind; all of them have ended. Returns the pids. A process that was killed together with its
 * worker, and has not ended yet, does not count as left behind.
 */
export function killLeftovers(treeOfProgram: string): readonly number[] {
  const isOfProgram = (tree: string): boolean => tree.startsWith(`${treeOfProgram}.`);
  const pids = findMembers(isOfProgram).map(({ pid }) => pid);
  if (pids.length > 0) killTree({ pids, sessions: [] });
  return [...new Set([...pids, ...killGroups(isOfProgram)])];
}
