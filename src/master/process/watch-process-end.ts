/** Tells when a process that is not a child of ours ends. Only on Linux (5.3 or newer). */
import { closeSync } from 'node:fs';
import { processExists } from '../../shared/is-running.ts';
import { emptyPipe } from '../sockets/empty-pipe.ts';
import { openProcess } from '../system-calls/syscalls.ts';

/**
 * Calls back once when the process has ended, at once if it has ended already; it costs a descriptor, and no wake-up before. Null: it cannot
 * be told, and `ended` will not be called. Returns what ends the watch.
 */
export async function watchEnd(pid: number, ended: () => void): Promise<(() => void) | null> {
  const fd = await openProcess(pid);
  if (fd === null) {
    if (processExists(pid)) return null;
    ended();
    return () => undefined;
  }
  const unwatch = watchDescriptor(fd, ended, false);
  if (unwatch === null) closeSync(fd);
  return unwatch;
}

/** The same for a process that is opened already. Its descriptor is closed when it has ended. `staysAlive`: for as long, this process does not end by itself. */
export function watchDescriptor(fd: number, ended: () => void, staysAlive = true): (() => void) | null {
  const pipe = emptyPipe();
  if (pipe === null || pipe.open(fd) !== 0) return null;
  let isOver = false;
  // pidfd_open(2): readable when the process has ended; but nothing can be read from it, which is the error that arrives here.
  const close = (): void => {
    if (!isOver) pipe.close();
    isOver = true;
  };
  const done = (): void => {
    close();
    ended();
  };
  Reflect.set(pipe, 'onread', done);
  pipe.readStart();
  if (!staysAlive) pipe.unref();
  return close;
}
