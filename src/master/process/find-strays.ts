/** Finds processes that a worker in another language has left behind: it has started them, in sessions of their own, and they still hold a listener. */
import { fstatSync } from 'node:fs';
import { hasEnded, readAllProcesses, readProcessStat } from '../../shared/process-stat.ts';
import { readProcessVariable } from '../../shared/process-variable.ts';
import { env } from '../../shared/protocol.ts';
import { holdsSocket } from '../sockets/address-holder.ts';
import { oncePerTurn } from '../sockets/once-per-turn.ts';

/**
 * The pids of such processes. `mark`: the name of the lock on the worker's channel, which no other worker has in its environment. Linux only; elsewhere
 * none is found.
 */
export function findStrays(mark: string, fds: readonly number[]): readonly number[] {
  if (fds.length === 0) return [];
  const inodes = fds.map((fd) => fstatSync(fd).ino);
  return marked()
    .filter((one) => one.mark === mark && holdsSocket(one.pid, inodes))
    .map(({ pid }) => pid);
}

/** The processes of all workers. */
const marked = oncePerTurn((): readonly { readonly pid: number; readonly mark: string }[] => {
  const self = readProcessStat('self');
  if (self === null) return [];
  return readAllProcesses()
    .filter((one) => one.pid !== self.pid && one.startedAt >= self.startedAt && !hasEnded(one))
    .flatMap(({ pid }) => {
      const mark = readProcessVariable(pid, env.channelLock);
      return mark === null ? [] : [{ pid, mark }];
    });
});
