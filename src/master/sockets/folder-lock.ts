/** Lets one process at a time change what is in a folder of sockets. */
import { closeSync, openSync } from 'node:fs';
import { lockFile } from '../system-calls/descriptor-calls.ts';

/** How long another process may hold the lock. It needs the lock only for microseconds, unless it was stopped in that moment. */
const patienceMs = 2_000;
const retryMs = 5;

/**
 * Calls `action`, which must not wait for anything, while this process alone has the lock of the folder. The kernel releases the lock of a process that
 * dies. If the file system has no locks, `action` is called without one. Throws the error of `locked` if another process keeps the lock.
 */
export async function withFolderLock<Result>(
  folder: string,
  action: () => Result,
  locked: () => Error,
): Promise<Result> {
  const fd = openSync(folder, 'r');
  try {
    const until = performance.now() + patienceMs;
    while ((await lockFile(fd)) === 'held') {
      if (performance.now() > until) throw locked();
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
    return action();
  } finally {
    closeSync(fd);
  }
}
