/** Which process of a worker serves, as far as /proc shows it: the one at the end of a chain of shells and wrappers. Linux only. */
import { fstatSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { isNode } from '../../shared/is-node.ts';
import { hasEnded, readAllProcesses, readProcessStat, type ProcessStat } from '../../shared/process-stat.ts';
import { holdsSocket } from '../sockets/address-holder.ts';
import { findTree } from './process-tree.ts';

/** Programs that start another one, wait for it and do nothing else. */
const wrappers: ReadonlySet<string> = new Set(
  'sh bash dash ash zsh ksh time timeout tini dumb-init catatonit setsid setpriv su sudo runuser script'.split(
    ' ',
  ),
);

/**
 * Whether a process of `worker` is a Node.js that has inherited one of the listeners, the descriptors `fds` of this process, and may be the server.
 * One that has started another program with the listener, as `npm start` does, is none. Without listeners every Node.js may be it.
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

/** The process at the end of the chain that begins with `worker`: each shell or wrapper on the way has one child. Null: the last of them has none. */
export function findServing(worker: number): number | null {
  const tree = treeOf(worker);
  let at = worker;
  for (let steps = 0; steps < tree.length && isWrapper(at); steps += 1) {
    const [child, ...others] = tree.filter(({ parent }) => parent === at);
    if (child === undefined) return null;
    // A pipeline, for example: the wrapper stands for all of it.
    if (others.length > 0) return at;
    at = child.pid;
  }
  return at;
}

function treeOf(worker: number): readonly ProcessStat[] {
  const self = readProcessStat('self');
  if (self === null) return [];
  return findTree({ pids: [worker], sessions: [worker] }, readAllProcesses(), self).filter(
    (one) => !hasEnded(one),
  );
}

function isWrapper(pid: number): boolean {
  try {
    return wrappers.has(basename(readlinkSync(`/proc/${pid}/exe`))) || isNode(pid);
  } catch {
    return false;
  }
}
