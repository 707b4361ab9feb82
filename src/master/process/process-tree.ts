/**
 * Kills a worker with everything that it has started: its descendants, and whatever shares a session with one of them. A wrapper such
 * as `su -c`, tini or `setsid --wait` gives the program a group or session of its own, which kill(2) on the worker's group misses.
 */
import { systemCode } from '../../shared/errors.ts';
import { hasEnded, readAllProcesses, readProcessStat, type ProcessStat } from '../../shared/process-stat.ts';

/** Where a search begins. */
export interface Roots {
  /** Processes that are known to run. */
  readonly pids: readonly number[];
  /** Sessions of which every process belongs to the tree. */
  readonly sessions: readonly number[];
}

/** A program that forks without end must not keep the master here: what is found by then is killed. */
const maxPasses = 100;

/** The processes of the tree among `all`. Pure; `without` is the master, whose own session is never part of a tree. */
export function findTree(
  roots: Roots,
  all: readonly ProcessStat[],
  without: Pick<ProcessStat, 'pid' | 'session'>,
): readonly ProcessStat[] {
  const pids = new Set(roots.pids);
  const sessions = new Set(roots.sessions);
  const found = new Set<ProcessStat>();
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const process of all) {
      const { pid, parent, session } = process;
      if (found.has(process) || pid <= 1 || pid === without.pid) continue;
      if (!pids.has(pid) && !pids.has(parent) && !sessions.has(session)) continue;
      found.add(process);
      pids.add(pid);
      if (session > 1 && session !== without.session) sessions.add(session);
    }
  }
  return [...found];
}

/**
 * Sends SIGKILL to the whole tree. Stops its processes first, parents before the children that they could still fork, and looks again
 * until nothing new appears: a child that is born in between would otherwise have lost its parent, and could not be found any more.
 */
export function killTree(roots: Roots): void {
  const self = readProcessStat('self');
  if (self === null) return;
  const stopped = new Map<number, ProcessStat>();
  const known: { pids: readonly number[]; sessions: readonly number[] } = { ...roots };
  for (let pass = 0; pass < maxPasses; pass += 1) {
    const found = findTree(known, readAllProcesses(), self).filter(
      (one) => !hasEnded(one) && stopped.get(one.pid)?.startedAt !== one.startedAt,
    );
    if (found.length === 0) break;
    for (const one of found) {
      signal(one, 'SIGSTOP');
      stopped.set(one.pid, one);
    }
    known.pids = [...roots.pids, ...stopped.keys()];
    known.sessions = [
      ...roots.sessions,
      ...[...stopped.values()].map(({ session }) => session).filter((id) => id > 1 && id !== self.session),
    ];
  }
  for (const one of stopped.values()) signal(one, 'SIGKILL');
}

/** Its number may be a stranger's by now. */
function signal({ pid, startedAt }: ProcessStat, name: 'SIGSTOP' | 'SIGKILL'): void {
  if (readProcessStat(pid)?.startedAt !== startedAt) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    const code = systemCode(error);
    // It has ended meanwhile; or it belongs to another user, as behind sudo.
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
