/** Finds workers whose master was killed among the processes that have an address. */
import type { BindablePlan } from '../config/plan.ts';
import { type OrphanedWorker, readOrphanedWorker } from '../process/orphaned-worker.ts';
import { findHolders, inodesAt } from './address-holder.ts';

export interface HoldersAt {
  /** The inodes of the sockets that have the address. */
  readonly inodes: readonly string[];
  readonly orphans: readonly OrphanedWorker[];
  /** The pids of all other processes that have the address. */
  readonly others: readonly number[];
}

/** The processes that have the address. */
export function holdersAt(wanted: BindablePlan): HoldersAt {
  const orphans: OrphanedWorker[] = [];
  const others: number[] = [];
  const inodes = inodesAt(wanted);
  for (const { pid } of findHolders(inodes)) {
    const orphan = readOrphanAt(pid, wanted);
    if (orphan === null) others.push(pid);
    else orphans.push(orphan);
  }
  return { inodes, orphans, others };
}

/**
 * The worker whose master was killed, if the process is one, and the address one of its listeners. A daemon that a worker has started has the variables of
 * the worker, and an address of its own.
 */
export function readOrphanAt(pid: number, wanted: BindablePlan): OrphanedWorker | null {
  const orphan = readOrphanedWorker(pid);
  const isListener = orphan?.listeners.some((one) =>
    wanted.type === 'unix'
      ? one.type === 'unix' && one.path === wanted.path
      : one.type === wanted.type && one.port === wanted.port,
  );
  return isListener === true ? orphan : null;
}
