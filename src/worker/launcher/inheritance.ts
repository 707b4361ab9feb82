/**
 * Whether this process really has what its environment announces. Descriptors get lost on the way through a process that closes them
 * (Python's subprocess, `node --run`, `node --watch`), and then their numbers are those of something else: Node.js's own epoll.
 */
import type { AnnouncedListener } from '../../shared/protocol.ts';

export interface Inheritance {
  readonly isWhole: boolean;
  /** The descriptor of the channel to the master, when `process.channel` is one to the process that has started this one. */
  readonly separateChannel: number | null;
  /** `process.channel` was opened over a descriptor that has nothing to do with it. */
  readonly hasFalseChannel: boolean;
}

export function inspectInheritance(listeners: readonly AnnouncedListener[]): Inheritance {
  const { channel, versions } = process;
  const fd: unknown = channel ? Reflect.get(channel, 'fd') : null;
  const expected = Math.max(2, ...listeners.map((listener) => listener.fd)) + 1;
  // Deno runs the preload and takes the descriptors for its own.
  const isChannel = versions['deno'] === undefined && isSocket(expected, null);
  const isOurs = fd === expected && isChannel;
  const isSeparate = typeof fd === 'number' && fd !== expected && isChannel;
  return {
    isWhole:
      (isOurs || isSeparate) && listeners.every((listener) => isSocket(listener.fd, listener.inode ?? null)),
    separateChannel: isSeparate ? expected : null,
    hasFalseChannel: fd === expected && !isOurs,
  };
}

function isSocket(fd: number, inode: number | null): boolean {
  try {
    const stats = process.getBuiltinModule('node:fs').fstatSync(fd);
    return stats.isSocket() && (inode === null || stats.ino === inode);
  } catch {
    return false;
  }
}
