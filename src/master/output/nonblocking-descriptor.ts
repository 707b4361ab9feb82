/**
 * Writes to a descriptor that others share without ever waiting for its reader. O_NONBLOCK belongs to the open file description,
 * which the workers inherit with stdout and stderr and switch as they like; so it can neither be set here (their write(2) would
 * fail with EAGAIN) nor be relied on. Each kind of descriptor has a way that does not depend on it.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { systemCode } from '../../shared/errors.ts';
import { readProcessStat } from '../../shared/process-stat.ts';
import {
  pipe,
  pollWritable,
  sendNow,
  spliceNow,
  withoutBackgroundStop,
} from '../system-calls/output-calls.ts';

export interface Descriptor {
  /** Writes as much as fits. Returns how many bytes were written, or the name of the error: `EAGAIN` if there is no room. */
  readonly write: (bytes: Uint8Array) => number | string;
  /** Waits until there is room, for at most `timeoutMs`. */
  readonly waitForRoom: (timeoutMs: number) => void;
}

/** The minimum that POSIX guarantees for PIPE_BUF: if poll(2) reports room, this many bytes fit. */
const pipeBufferBytes = process.platform === 'linux' ? 4096 : 512;

/** Chooses the way of writing that suits the descriptor. It is complete once the system calls are loaded (output-calls.ts). */
export function openPatiently(fd: number, openAgain: typeof reopen = reopen): Descriptor {
  const stats = statOf(fd);
  if (stats === null) return { write: () => 'EBADF', waitForRoom: () => undefined };
  if (stats.isSocket()) return waiting(fd, (bytes) => sendTo(fd, bytes));
  if (stats.isFIFO()) return openPipe(fd, openAgain(fd));
  if (isatty(fd)) return openTerminal(fd, openAgain(fd) ?? openControllingTerminal(stats.rdev));
  // The descriptor is a file, or a device such as /dev/null: it accepts everything, or fails.
  return waiting(fd, (bytes) => writeTo(fd, bytes));
}

/** Sends without waiting. Before the system calls are loaded, it writes: then there are no workers yet, and so no other writer. */
function sendTo(fd: number, bytes: Uint8Array): number | string {
  const sent = sendNow(fd, bytes);
  return sent === 'ENOSYS' ? writeTo(fd, bytes) : sent;
}

function openPipe(fd: number, own: number | null): Descriptor {
  if (own !== null) return waiting(own, (bytes) => writeTo(own, bytes));
  // A pipe of another user (after sudo or su) may not be opened again. splice(2) can be told for each call not to wait.
  const ends = pipe({ waits: false });
  if (typeof ends === 'string') return pollFirst(fd, (bytes) => writeTo(fd, bytes));
  const [from, to] = ends;
  return waiting(fd, (bytes) => writeBySplice(from, to, fd, bytes));
}

/** Writes one piece by splice(2). `from` and `to` are the two ends of an empty pipe, which is empty again afterwards. */
function writeBySplice(from: number, to: number, fd: number, bytes: Uint8Array): number | string {
  const piece = bytes.subarray(0, pipeBufferBytes);
  const filled = writeTo(to, piece);
  if (typeof filled === 'string') return filled;
  const moved = spliceNow(from, fd, filled);
  const rest = filled - (typeof moved === 'number' ? moved : 0);
  if (rest > 0) readSync(from, Buffer.alloc(rest));
  return moved;
}

function openTerminal(fd: number, own: number | null): Descriptor {
  if (own !== null) return waiting(own, (bytes) => withoutBackgroundStop(() => writeTo(own, bytes)));
  return pollFirst(fd, (bytes) => withoutBackgroundStop(() => writeTo(fd, bytes)));
}

/** Writes to a descriptor that cannot be opened again: in small pieces, if poll(2) reports that they fit. Another writer may still take the room first. */
function pollFirst(fd: number, write: Descriptor['write']): Descriptor {
  return waiting(fd, (bytes) => (pollWritable(fd, 0) ? write(bytes.subarray(0, pipeBufferBytes)) : 'EAGAIN'));
}

function waiting(fd: number, write: Descriptor['write']): Descriptor {
  return { write, waitForRoom: (timeoutMs) => void pollWritable(fd, timeoutMs) };
}

/**
 * Opens the same pipe or terminal again, with an open file description of its own that does not wait. Null if that is not possible.
 * Opening /proc/self/fd/N opens the file once more (proc(5)). On other systems, /dev/fd/N is only a copy of the descriptor.
 */
function reopen(fd: number): number | null {
  if (process.platform !== 'linux') return null;
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  try {
    const own = openSync(`/proc/self/fd/${fd}`, flags);
    if (isSame(statOf(own), statOf(fd))) return own;
    closeSync(own);
    return null;
  } catch {
    // EACCES, ENXIO or no /proc: another way of writing is used.
    return null;
  }
}

/**
 * Opens the terminal `device` through /dev/tty, which a process may open even if the terminal belongs to another user, as it does after su or sudo. Null
 * if it is not the controlling terminal.
 */
function openControllingTerminal(device: number): number | null {
  try {
    if (readProcessStat('self')?.terminal !== device) return null;
    return openSync('/dev/tty', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
}

function isSame(one: Stats | null, other: Stats | null): boolean {
  return one !== null && other !== null && one.ino === other.ino && one.dev === other.dev;
}

function statOf(fd: number): Stats | null {
  try {
    return fstatSync(fd);
  } catch {
    return null;
  }
}

function writeTo(fd: number, bytes: Uint8Array): number | string {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    return systemCode(error) ?? 'EIO';
  }
}
