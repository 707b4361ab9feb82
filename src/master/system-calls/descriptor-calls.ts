/** System calls about a descriptor of any kind: its copies, its flags and its lock. Those that are not async need loadSystemCalls(). */
import { fstatSync } from 'node:fs';
import { lastError, loadCalls, loadedCalls, loadSystemCalls } from './c-library.ts';

/** F_DUPFD_CLOEXEC: makes a duplicate that no child inherits. */
const duplicateCloseOnExec = process.platform === 'linux' ? 1030 : 67;

/** fcntl(2): another descriptor for the same file; or the name of the error. `lowest`: the number from which on it may be. */
export function duplicate(fd: number, lowest = 0): number | string {
  const copy = loadedCalls()?.fcntl(fd, duplicateCloseOnExec, 'int', lowest) ?? -1;
  return copy >= 0 ? copy : lastError();
}

/** close(2). An error is ignored. */
export function closeDescriptor(fd: number): void {
  loadedCalls()?.close(fd);
}

const setDescriptorFlags = 2;
const closeOnExecFlag = 1;

/** fcntl(2): makes sure that no child inherits the descriptor from now on. */
export function keepFromChildren(fd: number): void {
  loadedCalls()?.fcntl(fd, setDescriptorFlags, 'int', closeOnExecFlag);
}

/** fcntl(2): the opposite. The descriptor stays open in a program that execve(2) runs in this process. */
export function keepThroughExec(fd: number): void {
  loadedCalls()?.fcntl(fd, setDescriptorFlags, 'int', 0);
}

/** As keepFromChildren(), for descriptors that were left open by execve(2). */
export async function keepAllFromChildren(fds: readonly number[]): Promise<void> {
  await loadSystemCalls();
  for (const fd of fds) keepFromChildren(fd);
}

const getStatusFlags = 3;
const setStatusFlags = 4;
const nonBlocking = process.platform === 'linux' ? 0o4000 : 4;

/**
 * fcntl(2): clears O_NONBLOCK, for every process that holds a copy of the socket. libuv sets it, and a program that expects accept(2) to wait would spin
 * or fail.
 */
export function makeBlocking(fd: number): void {
  changeStatusFlags(fd, (flags) => flags & ~nonBlocking);
}

/**
 * fcntl(2): sets O_NONBLOCK, for every process that holds a copy of the socket. Of two processes that epoll has woken for the same connection, one would
 * wait in accept(2) for the next one.
 */
export function makeNonBlocking(fd: number): void {
  changeStatusFlags(fd, (flags) => flags | nonBlocking);
}

function changeStatusFlags(fd: number, change: (flags: number) => number): void {
  const flags = statusFlagsOf(fd);
  if (flags === null || change(flags) === flags) return;
  loadedCalls()?.fcntl(fd, setStatusFlags, 'int', change(flags));
}

/** fcntl(2): whether accept(2) waits on this socket. */
export function isBlocking(fd: number): boolean {
  const flags = statusFlagsOf(fd);
  return flags !== null && (flags & nonBlocking) === 0;
}

/** fstat(2): the inode of an open file; null if the descriptor is not open. */
export function inodeOf(fd: number): number | null {
  try {
    return fstatSync(fd).ino;
  } catch {
    return null;
  }
}

function statusFlagsOf(fd: number): number | null {
  const flags = loadedCalls()?.fcntl(fd, getStatusFlags, 'int', 0) ?? -1;
  return flags >= 0 ? flags : null;
}

/** LOCK_EX | LOCK_NB. */
const exclusiveAtOnce = 2 | 4;

/**
 * flock(2): locks the file until the descriptor is closed. `held`: another process has the lock. `unsupported`: the file system
 * has no locks.
 */
export async function lockFile(fd: number): Promise<'locked' | 'held' | 'unsupported'> {
  const calls = await loadCalls();
  if (calls.flock(fd, exclusiveAtOnce) === 0) return 'locked';
  const code = lastError();
  return code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EINTR' ? 'held' : 'unsupported';
}
