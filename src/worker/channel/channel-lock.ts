/**
 * Decides which process of a worker reads the channel if several listen: the first that binds a name, which the kernel gives to one
 * process at a time and frees when that process ends. It is an abstract socket name (unix(7)), which only Linux has: on other systems
 * every process that listens reads.
 */
import { bindName } from '../node-internals/listening-handle.ts';

/** The length of the longest possible name, so that no version of libuv pads it with zeros: the processes of a worker may run different versions. */
const nameLength = 107;

/**
 * Returns a function that takes the lock unless another process holds it, and returns true if this process may read. `name` comes from the master,
 * which has one for each worker. Without a name (null) there is no lock, and every process may read.
 */
export function createChannelLock(name: string | null): () => boolean {
  const path = name === null ? null : `\0${`graceful-run.${name}`.padEnd(nameLength, '.')}`;
  /** The handle that holds the name until this process ends. */
  let holder: object | null = null;
  return () => {
    if (path === null || holder !== null) return true;
    const bound = bindName(path);
    if (bound === 'taken') return false;
    holder = bound;
    return true;
  };
}
