/** Notices the end of a process that is not a child of this one. Only on Linux (5.3 or newer). */
import { closeSync } from 'node:fs';
import { processExists } from '../../shared/is-running.ts';
import { emptyPipe } from '../sockets/empty-pipe.ts';
import { openProcess } from '../system-calls/pidfd-calls.ts';

/**
 * Calls back once when the process has ended, at once if it already has. It costs a descriptor, and causes no wake-ups before. Returns a function that
 * ends the watch; null if the process cannot be watched, and then `ended` is never called.
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

/** As watchEnd(), for a process that is open already. Its descriptor is closed when it has ended. `staysAlive`: whether the watch keeps this process alive. */
export function watchDescriptor(fd: number, ended: () => void, staysAlive = true): (() => void) | null {
  const pipe = emptyPipe();
  if (pipe === null || pipe.open(fd) !== 0) return null;
  let isOver = false;
  // A pidfd is readable when the process has ended (pidfd_open(2)). But nothing can be read from it, so an error arrives here.
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
