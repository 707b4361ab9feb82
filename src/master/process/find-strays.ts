/** What a worker in another language has left behind: processes that it has started, in sessions of their own, and that still hold a listener. */
import { fstatSync } from 'node:fs';
import { hasEnded, readAllProcesses, readProcessStat } from '../../shared/process-stat.ts';
import { readProcessVariable } from '../../shared/process-variable.ts';
import { env } from '../../shared/protocol.ts';
import { holdsSocket } from '../sockets/address-holder.ts';

/** `mark`: the name of its channel's lock, which no other worker has in its environment. Linux only; elsewhere none is found. */
export function findStrays(mark: string, fds: readonly number[]): readonly number[] {
  const self = readProcessStat('self');
  if (self === null) return [];
  const inodes = fds.map((fd) => fstatSync(fd).ino);
  return readAllProcesses()
    .filter((one) => one.pid !== self.pid && one.startedAt >= self.startedAt && !hasEnded(one))
    .filter(({ pid }) => readProcessVariable(pid, env.channelLock) === mark && holdsSocket(pid, inodes))
    .map(({ pid }) => pid);
}
