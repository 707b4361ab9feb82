/**
 * Decides which process of a worker reads the channel when several listen: the first that binds a name, which the kernel gives to one
 * process at a time and takes back when that process ends. It is an abstract name (unix(7)), which only Linux has: elsewhere every
 * process that listens reads.
 */
import { bindName } from '../node-internals/listening-handle.ts';

/** Longer than any other, so that no version of libuv fills it up with zeros: processes of one worker may run different ones. */
const nameLength = 107;

/**
 * Answers a function that takes the lock unless another process holds it, and says whether this process may read. The master makes up
 * `name` for each worker; without one there is no lock.
 */
export function createChannelLock(name: string | null): () => boolean {
  const path = name === null ? null : `\0${`graceful-run.${name}`.padEnd(nameLength, '.')}`;
  /** Holds the name until this process ends. */
  let holder: object | null = null;
  return () => {
    if (path === null || holder !== null) return true;
    const bound = bindName(path);
    if (bound === 'taken') return false;
    holder = bound;
    return true;
  };
}
