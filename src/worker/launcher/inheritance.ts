/**
 * Checks whether this process has inherited what its environment announces. Some processes close descriptors when they start another one
 * (Python's subprocess, `node --run`, `node --watch`); the numbers then belong to something else, such as the epoll of Node.js.
 */
import type { AnnouncedListener } from '../../shared/protocol.ts';
import { channelFd } from '../node-internals/channel-handle.ts';

export interface Inheritance {
  /** True if every listener and the channel were inherited. */
  readonly isWhole: boolean;
  /** The descriptor of the channel to the master if `process.channel` is another one, which leads to the process that has started this one; otherwise null. */
  readonly separateChannel: number | null;
  /** True if Node.js opened `process.channel` over a descriptor that is not a channel. */
  readonly hasFalseChannel: boolean;
}

export function inspectInheritance(listeners: readonly AnnouncedListener[]): Inheritance {
  const fd = channelFd();
  const expected = Math.max(2, ...listeners.map((listener) => listener.fd)) + 1;
  // Deno runs the preload and uses the descriptors for something else.
  const isChannel = process.versions['deno'] === undefined && isSocket(expected, null);
  const isOurs = fd === expected && isChannel;
  const isSeparate = fd !== null && fd !== expected && isChannel;
  return {
    isWhole:
      (isOurs || isSeparate) && listeners.every((listener) => isSocket(listener.fd, listener.inode ?? null)),
    separateChannel: isSeparate ? expected : null,
    hasFalseChannel: fd === expected && !isOurs,
  };
}

function isSocket(fd: number, inode: number | null): boolean {
  const { readlinkSync, fstatSync } = process.getBuiltinModule('node:fs');
  try {
    // Linux, proc_pid_fd(5). In a process that has not done either before, it takes a quarter of the time of fstat.
    const target = readlinkSync(`/proc/self/fd/${fd}`);
    return inode === null ? target.startsWith('socket:[') : target === `socket:[${inode}]`;
  } catch {
    // Another system, a descriptor that is not open, or no /proc.
  }
  try {
    // Without `bigint`, the result would stay in a buffer from which realpathSync of Node 20 and 22 reads the type of a cached
    // directory. It would find a socket there, and not resolve the symlinks in the path of the program.
    const stats = fstatSync(fd, { bigint: true });
    return stats.isSocket() && (inode === null || stats.ino === BigInt(inode));
  } catch {
    return false;
  }
}
