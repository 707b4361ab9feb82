/**
 * Which processes belong to a worker, and how to kill all of them: its descendants, and every process that shares a session with one of them. A
 * wrapper such as `su -c`, tini or `setsid --wait` gives the program a group or session of its own, which kill(2) on the worker's group misses.
 */
import { readFileSync } from 'node:fs';
import { isRunning, processExists } from '../../shared/is-running.ts';
import {
  hasEnded,
  processNumbers,
  readAllProcesses,
  readProcessStat,
  type ProcessStat,
} from '../../shared/process-stat.ts';
import { sendSignal } from './send-signal.ts';

/**
 * Whether `pid` is the process `worker`, one of its descendants (`npm start`, a wrapper with a session of its own), or in its process group (the process
 * in between has ended). True if that cannot be found out: there is no /proc, or it hides the process.
 */
export function belongsToWorker(pid: number, worker: number): boolean {
  if (pid === worker) return true;
  const first = readProcessStat(pid);
  if (first === null) return readProcessStat('self') === null || processExists(pid);
  if (first.group === worker) return true;
  for (
    let one: ProcessStat | null = first;
    one !== null && one.parent > 1;
    one = readProcessStat(one.parent)
  ) {
    if (one.parent === worker) return true;
  }
  return false;
}

/** The processes between `served` and its ancestor `worker`, the process that was started, without these two. */
export function findLaunchers(served: ProcessStat, worker: number): readonly ProcessStat[] {
  const launchers: ProcessStat[] = [];
  for (let { parent } = served; parent !== worker;) {
    const launcher = parent > 1 ? readProcessStat(parent) : null;
    // One of the processes in between has ended, so the rest has another parent.
    if (launcher === null || launcher.pid === process.pid) return [];
    launchers.push(launcher);
    ({ parent } = launcher);
  }
  return launchers;
}

/**
 * The process of `worker` that sees itself as `pid`: it may be in a PID namespace of its own (unshare, bubblewrap), where it has another number. Null if
 * there is none. Without /proc, `pid` itself.
 */
export function findByOwnPid(pid: number, worker: number): number | null {
  const own = namesOf(pid);
  if (pid > 1 && (own.length === 0 || own.at(-1) === pid) && belongsToWorker(pid, worker)) return pid;
  // If several have the number in nested namespaces, the outer ones are wrappers.
  const [found] = processNumbers()
    .filter((one) => one > 1 && belongsToWorker(one, worker))
    .map((one) => ({ one, names: namesOf(one) }))
    .filter(({ names }) => names.length > 1 && names.at(-1) === pid)
    .sort((left, right) => right.names.length - left.names.length);
  return found?.one ?? null;
}

/** The processes and sessions from which a tree is searched. */
export interface Roots {
  /** The pids of processes that are known to run. */
  readonly pids: readonly number[];
  /** Sessions of which every process belongs to the tree. */
  readonly sessions: readonly number[];
}

/** The processes that `killTree` has killed, with their start times. On a busy machine /proc shows them for a while as if they still ran. */
const killed = new Map<number, ProcessStat['startedAt']>();

/** How often the processes are searched again: a program that forks without end must not keep the master here. */
const maxPasses = 100;

/** The processes of the tree among `all`. `without`: the master, whose own session is never part of a tree. Pure. */
export function findTree(
  roots: Roots,
  all: readonly ProcessStat[],
  without: Pick<ProcessStat, 'pid' | 'session'>,
): readonly ProcessStat[] {
  const pids = new Set(roots.pids);
  const sessions = new Set(roots.sessions);
  const living = new Set(all.filter((process) => !hasEnded(process)).map(({ pid }) => pid));
  const found = new Set<ProcessStat>();
  for (let before = -1; before !== found.size + sessions.size;) {
    before = found.size + sessions.size;
    for (const process of all) {
      const { pid, parent, session } = process;
      if (pid <= 1 || pid === without.pid) continue;
      if (!found.has(process) && !pids.has(pid) && !pids.has(parent) && !sessions.has(session)) continue;
      found.add(process);
      pids.add(pid);
      // A session that belongs to another process is not part of the tree: a daemon may have been started in a shell.
      const isOwn = pids.has(session) || !living.has(session);
      if (isOwn && session > 1 && session !== without.session) sessions.add(session);
    }
  }
  return [...found];
}

/**
 * Sends SIGKILL to the whole tree. It first stops the processes, parents before the children that they could still fork, and searches again until no new
 * ones appear: a child that is forked in between would otherwise lose its parent, and could not be found any more.
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
      ...[...stopped.values()]
        .map(({ session }) => session)
        .filter((id) => id > 1 && id !== self.session && (stopped.has(id) || !isRunning(id))),
    ];
  }
  for (const [pid, startedAt] of killed)
    if (readProcessStat(pid)?.startedAt !== startedAt) killed.delete(pid);
  for (const one of stopped.values()) {
    if (signal(one, 'SIGKILL')) killed.set(one.pid, one.startedAt);
  }
}

/** Whether `killTree` has killed this process. It may not have ended yet. */
export function wasKilled(pid: number): boolean {
  const startedAt = killed.get(pid);
  return startedAt !== undefined && (readProcessStat(pid)?.startedAt ?? startedAt) === startedAt;
}

/** Sends a signal to a process, unless its number belongs to another process by now. Returns whether it was sent. */
function signal({ pid, startedAt }: ProcessStat, name: 'SIGSTOP' | 'SIGKILL'): boolean {
  return readProcessStat(pid)?.startedAt === startedAt && sendSignal(pid, name);
}

/** The numbers of a process, from the namespace of /proc to its own: NSpid of proc_pid_status(5). Empty if they are not known. */
function namesOf(pid: number): readonly number[] {
  try {
    const [, numbers = ''] = /^NSpid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return numbers === '' ? [] : numbers.split('\t').map(Number);
  } catch {
    return [];
  }
}
