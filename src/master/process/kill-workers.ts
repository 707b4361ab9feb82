/**
 * Kills workers with everything that they have started. The workers of one turn of the event loop are killed together, because a kill examines all
 * processes of the machine several times, and a second signal to stop may be for hundreds of workers.
 */
import { killGroups } from './control-group.ts';
import { findMembers } from './find-members.ts';
import { killTree, type Roots } from './process-tree.ts';

export interface DoomedWorker {
  /** The value of `env.tree` in the environment of the worker's processes. */
  readonly tree: string;
  /** Returns where to look for these processes. Called at the end of the turn. */
  readonly roots: () => Roots;
  /** Kills the worker's process group. Called last, for processes that cannot be found: there may be no /proc. */
  readonly killGroup: () => void;
}

let doomed: DoomedWorker[] = [];

export function killWorker(worker: DoomedWorker): void {
  doomed.push(worker);
  if (doomed.length === 1) setImmediate(killAll);
}

function killAll(): void {
  const workers = doomed;
  doomed = [];
  const trees = new Set(workers.map(({ tree }) => tree));
  const isOfOne = (tree: string): boolean => trees.has(tree);
  const roots = workers.map((worker) => worker.roots());
  killTree({
    pids: [...roots.flatMap(({ pids }) => pids), ...findMembers(isOfOne).map(({ pid }) => pid)],
    sessions: roots.flatMap(({ sessions }) => sessions),
  });
  killGroups(isOfOne);
  for (const { killGroup } of workers) killGroup();
}
