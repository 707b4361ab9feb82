/**
 * Finds out why a worker never got its preload: a script on the way to the program has set NODE_OPTIONS, and has called Node.js by its path,
 * so that the `node` ahead in PATH was not used either (ADR 13). Linux only; elsewhere, and for processes of other users, it finds none.
 */
import { isNode } from '../../shared/is-node.ts';
import { withoutPreload } from '../../shared/node-options.ts';
import { readProcessArguments } from '../../shared/process-arguments.ts';
import { readAllProcesses, readProcessStat } from '../../shared/process-stat.ts';
import { readProcessVariables } from '../../shared/process-variable.ts';
import { env } from '../../shared/protocol.ts';
import { findTree } from './process-tree.ts';

/**
 * The pid of a Node.js process of `worker` that was told of the listeners and was started without the preload; null if there is none.
 * Descendants of a process that has the preload are not told of the listeners, so they do not count.
 */
export function findWithoutPreload(worker: number, preload: string): number | null {
  const self = readProcessStat('self');
  if (self === null) return null;
  const tree = findTree({ pids: [worker], sessions: [worker] }, readAllProcesses(), self);
  return tree.find(({ pid }) => isNode(pid) && lacksPreload(pid, preload))?.pid ?? null;
}

function lacksPreload(pid: number, preload: string): boolean {
  const [listeners = null, options] = readProcessVariables(pid, [env.listeners, 'NODE_OPTIONS']);
  if (listeners === null || withoutPreload(options ?? '', preload) !== (options ?? '')) return false;
  const words = readProcessArguments(pid);
  // A process that has ended has no words, and nothing is known of it.
  return words.length > 0 && !words.includes(preload);
}
