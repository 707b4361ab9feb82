/** Finds the process of a worker that serves, as far as /proc shows it: the one at the end of a chain of shells and wrappers. Linux only. */
import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { isNode } from '../../shared/is-node.ts';
import {
  processNumbers,
  type ProcessStat,
  readAllProcesses,
  readProcessStat,
  stillRuns,
} from '../../shared/process-stat.ts';
import { holdsSocket } from '../sockets/address-holder.ts';
import { oncePerTurn } from '../sockets/once-per-turn.ts';
import { findTree } from './process-tree.ts';

const shells: readonly string[] = ['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh'];

/** Programs that start another one, wait for it and do nothing else; and programs that only wait. For busybox, the name under which it runs counts. */
const wrappers: ReadonlySet<string> = new Set([
  ...shells,
  ...(
    'time timeout tini dumb-init catatonit setsid setpriv su sudo runuser script unshare bwrap strace ' +
    'bun deno pnpm uv uvx sleep tail cat'
  ).split(' '),
]);

/**
 * Whether a process of `worker` is a Node.js that has inherited one of the listeners (the descriptors `fds` of this process), and so may be the server. A
 * Node.js that has started another program with the listener, as `npm start` does, does not count. Without listeners, any Node.js may be the server.
 */
export function findNodeServer(worker: number, fds: readonly number[]): boolean {
  const tree = treeOf(worker);
  const inodes = fds.map((fd) => fstatSync(fd).ino);
  const holders = inodes.length === 0 ? tree : tree.filter(({ pid }) => holdsSocket(pid, inodes));
  const others = holders.filter(({ pid }) => !isNode(pid) && !isWrapper(pid));
  const parents = new Map(tree.map(({ pid, parent }) => [pid, parent]));
  const isBelow = (pid: number, ancestor: number): boolean => {
    for (let at = parents.get(pid); at !== undefined; at = parents.get(at)) if (at === ancestor) return true;
    return false;
  };
  return holders.some((one) => isNode(one.pid) && !others.some(({ pid }) => isBelow(pid, one.pid)));
}

/**
 * The process at the end of the chain that begins with `worker`: each shell or wrapper in the chain has one child that leads to a program. If several
 * children do, as in a pipeline, or if there are only wrappers, it is `known`, the process that was found before, if that still runs. Otherwise the wrapper
 * stands for its children, and null for a chain of wrappers.
 */
export function findServing(worker: number, known: number = worker): number | null {
  // Most commands are the server itself.
  if (!isWrapper(worker)) return worker;
  const tree = treeOf(worker);
  const endOf = (pid: number): number | null => {
    if (!isWrapper(pid)) return pid;
    const ends = tree.filter(({ parent }) => parent === pid).flatMap((child) => endOf(child.pid) ?? []);
    return ends.length > 1 ? pid : (ends[0] ?? null);
  };
  const end = endOf(worker);
  const isFound = end !== null && !isWrapper(end);
  return !isFound && known !== worker && tree.some(({ pid }) => pid === known) ? known : end;
}

/** The running processes of a worker. One that was started in this turn of the event loop may be missing. */
export function treeOf(worker: number): readonly ProcessStat[] {
  const self = readProcessStat('self');
  if (self === null) return [];
  const all = processes();
  if (!all.has(worker)) addNew(all);
  // A caller that has seen one of these processes end may ask again at once.
  return findTree({ pids: [worker], sessions: [worker] }, [...all.values()], self).filter(stillRuns);
}

/** All processes by their pids, read once in a turn of the event loop: a stop asks for each of hundreds of workers which process to signal. */
const processes = oncePerTurn(() => new Map(readAllProcesses().map((one) => [one.pid, one])));

/** Adds the processes that were started after `all` was read, in the same turn. A start of hundreds of workers has one to add for each of them. */
function addNew(all: Map<number, ProcessStat>): void {
  for (const pid of processNumbers()) {
    const stat = all.has(pid) ? null : readProcessStat(pid);
    if (stat !== null) all.set(pid, stat);
  }
}

/** True for a shell, which may run another command when the one that it waits for has ended. False if that cannot be determined. */
export function isShell(pid: number): boolean {
  return shells.includes(programName(pid) ?? '');
}

function isWrapper(pid: number): boolean {
  const name = programName(pid);
  return name !== null && (wrappers.has(name) || isNode(pid));
}

function programName(pid: number): string | null {
  try {
    const file = basename(readlinkSync(`/proc/${pid}/exe`));
    return file === 'busybox' ? readFileSync(`/proc/${pid}/comm`, 'utf8').trim() : file;
  } catch {
    return null;
  }
}
