/** Tells workers whose master was killed to drain, each only once. */
import { isNode } from '../../shared/is-node.ts';
import { readProcessArguments } from '../../shared/process-arguments.ts';
import { stillRuns } from '../../shared/process-stat.ts';
import { readProcessVariables } from '../../shared/process-variable.ts';
import type { OrphanedWorker } from '../process/orphaned-worker.ts';
import type { Platform } from '../process/platform.ts';

/**
 * The workers that this process has told to drain (keyOf), each with its dead master. Most programs stop immediately if they are told twice, and cut their
 * requests.
 */
const told = new Map<string, number>();

/**
 * Sends the drain signal to those of these workers that still run and were not told. `tellsNode`: to Node.js, too, which notices by itself when its time is
 * over. Returns the processes that were told.
 */
export function tellToDrain(
  orphans: readonly OrphanedWorker[],
  tellsNode: boolean,
  platform: Pick<Platform, 'findNode' | 'findServing' | 'signalProcess'>,
): readonly number[] {
  const pids = new Set<number>();
  const tellOne = (pid: number, signal: NodeJS.Signals | null): void => {
    if (signal === null || pids.has(pid)) return;
    pids.add(pid);
    platform.signalProcess(pid, signal);
  };
  const untold = orphans.filter((one) => !isTold(one) && stillRuns(one.process));
  for (const one of untold) told.set(keyOf(one), one.master);
  for (const worker of byWorker(untold)) {
    const [root] = worker;
    if (root === undefined) continue;
    // Whatever has started it, such as tini or npm, would pass a signal on, and Node.js would be told twice.
    if (!platform.findNode(root.process.pid, []))
      tellOne(platform.findServing(root.process.pid) ?? root.process.pid, root.drainSignal);
    else if (tellsNode)
      for (const { process: one } of worker) if (hasPreload(one.pid)) tellOne(one.pid, 'SIGQUIT');
  }
  return [...pids];
}

/** The dead masters of the workers that were told. */
export function mastersOfTold(): ReadonlySet<number> {
  return new Set(told.values());
}

/** Whether the worker was told to drain: by this process, or at once when its master died. */
export function isTold(orphan: OrphanedWorker): boolean {
  return orphan.rescueMs === 0 || told.has(keyOf(orphan));
}

/** Names the worker to which the process belongs. */
export function keyOf({ tree, process: { pid, startedAt } }: OrphanedWorker): string {
  return tree ?? `${pid} ${startedAt}`;
}

/** The processes of each worker, the oldest first: a shell, or the program itself. */
function byWorker(orphans: readonly OrphanedWorker[]): readonly (readonly OrphanedWorker[])[] {
  const workers = new Map<string, OrphanedWorker[]>();
  const startOf = ({ process: { startedAt } }: OrphanedWorker): number => startedAt;
  for (const orphan of [...orphans].sort((one, other) => startOf(one) - startOf(other))) {
    const key = keyOf(orphan);
    workers.set(key, [...(workers.get(key) ?? []), orphan]);
  }
  return [...workers.values()];
}

/** Whether the process is a Node.js in which graceful-run's own code runs: it drains at SIGQUIT. */
function hasPreload(pid: number): boolean {
  if (!isNode(pid)) return false;
  const [options = null] = readProcessVariables(pid, ['NODE_OPTIONS']);
  return [options ?? '', ...readProcessArguments(pid)].some((text) => text.includes('/worker/preload.cjs'));
}
