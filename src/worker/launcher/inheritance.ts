/**
 * Whether this process really has what its environment announces. Descriptors get lost on the way through a process that closes them
 * (Python's subprocess, `node --run`, `node --watch`), and then their numbers are those of something else: Node.js's own epoll.
 */
import type { AnnouncedListener } from '../../shared/protocol.ts';
import { channelFd } from '../node-internals/channel-handle.ts';

export interface Inheritance {
  readonly isWhole: boolean;
  /** The descriptor of the channel to the master, when `process.channel` is one to the process that has started this one. */
  readonly separateChannel: number | null;
  /** `process.channel` was opened over a descriptor that has nothing to do with it. */
  readonly hasFalseChannel: boolean;
}

export function inspectInheritance(listeners: readonly AnnouncedListener[]): Inheritance {
  const fd = channelFd();
  const expected = Math.max(2, ...listeners.map((listener) => listener.fd)) + 1;
  // Deno runs the preload and takes the descriptors for its own.
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
  try {
    // With numbers, the result would stay in a buffer from which realpathSync of Node 20 and 22 takes the type of a cached
    // directory. If it finds a socket there, it does not resolve the symlinks in the path of the program.
    const stats = process.getBuiltinModule('node:fs').fstatSync(fd, { bigint: true });
    return stats.isSocket() && (inode === null || stats.ino === BigInt(inode));
  } catch {
    return false;
  }
}
