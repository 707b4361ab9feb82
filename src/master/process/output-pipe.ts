/**
 * The pipes through which the stdout and stderr of a worker are read. Node.js would make socket pairs, and a socket cannot be opened: a program that opens
 * /dev/stdout or /proc/self/fd/1, as nginx and php-fpm are often told to, would fail with ENXIO.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, fchownSync } from 'node:fs';
import net from 'node:net';
import { pipe } from '../system-calls/output-calls.ts';

export interface OutputPipe {
  /** What the worker is started with. */
  readonly stdio: number | 'pipe';
  /** To be called once, after the start: the end to read from; null: Node.js has made it. */
  started(): net.Socket | null;
  /** To be called instead if the worker could not be started. */
  discard(): void;
}

/** Outside of Linux, /dev/stdout is a copy of the descriptor, whatever that is. */
const madeByNode: OutputPipe = { stdio: 'pipe', started: () => null, discard: () => undefined };

/** `uid`: of the worker, if it runs as another user than this process. */
export function makeOutputPipe(uid: number | null): OutputPipe {
  const ends = pipe({ waits: true });
  // If no descriptors are left, the start will say so.
  if (typeof ends === 'string') return madeByNode;
  const [from, to] = ends;
  if (uid !== null) giveTo(uid, to);
  return {
    stdio: to,
    started() {
      closeSync(to);
      return new net.Socket({ fd: from, readable: true, writable: false });
    },
    discard() {
      closeSync(to);
      closeSync(from);
    },
  };
}

/** Only its owner may open it. */
function giveTo(uid: number, fd: number): void {
  try {
    fchownSync(fd, uid, -1);
  } catch {
    // Without CAP_CHOWN the worker can write to it all the same.
  }
}

/** Returns what calls back once, as soon as all of them have closed. A child process closes without waiting for pipes that Node.js has not made. */
export function watchClosing(all: readonly (ChildProcess | net.Socket)[]): (closed: () => void) => void {
  let open = all.length;
  let closed: (() => void) | null = null;
  for (const one of all)
    one.once('close', () => {
      open -= 1;
      if (open === 0) closed?.();
    });
  return (callback) => {
    if (open === 0) callback();
    else closed = callback;
  };
}
