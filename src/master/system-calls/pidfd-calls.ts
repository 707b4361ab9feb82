/** System calls about another process through a descriptor (pidfd_open(2)). Unlike a pid, it never comes to mean another process. Linux only. */
import { lastError, loadedCalls, loadSystemCalls } from './c-library.ts';

// The numbers of the calls are the same on every architecture.
const pidfdSendSignal = 424;
const pidfdOpen = 434;
const pidfdGetfd = 438;

/** pidfd_open(2): a descriptor that is readable when the process has ended, and that no child inherits; null if there is none. */
export async function openProcess(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  await loadSystemCalls();
  return openProcessNow(pid);
}

/** As openProcess(), at once. Only after loadSystemCalls(). */
export function openProcessNow(pid: number): number | null {
  if (process.platform !== 'linux') return null;
  const fd = loadedCalls()?.syscall(pidfdOpen, 'int', pid, 'int', 0) ?? -1;
  return fd >= 0 ? fd : null;
}

/**
 * pidfd_getfd(2): a copy of the descriptor `fd` of the process that `openProcess` has opened, which no child inherits; or the name of the error. `EPERM`: this
 * process may not look into that one, as with ptrace(2). `ENOSYS`: Linux before 5.6.
 */
export function takeDescriptor(pidfd: number, fd: number): number | string {
  const copy = loadedCalls()?.syscall(pidfdGetfd, 'int', pidfd, 'int', fd, 'int', 0) ?? -1;
  return copy >= 0 ? copy : lastError();
}

/** PIDFD_SIGNAL_PROCESS_GROUP, since Linux 6.9. */
const toGroup = 4;

/** pidfd_send_signal(2): signals the process that `openProcess` has opened, or none if it has ended. False: there was none, or this process may not signal it. */
export function signalThrough(fd: number, signal: number): boolean {
  return sendThrough(fd, signal, 0);
}

/**
 * The same for the process group that this process leads or has led, never to that of a process which got its number later. False: there is none,
 * or this process may signal none of it. Null: the kernel cannot do this.
 */
export function signalGroupThrough(fd: number, signal: number): boolean | null {
  if (sendThrough(fd, signal, toGroup)) return true;
  return loadedCalls() === null || lastError() === 'EINVAL' ? null : false;
}

function sendThrough(fd: number, signal: number, flags: number): boolean {
  return (
    loadedCalls()?.syscall(pidfdSendSignal, 'int', fd, 'int', signal, 'void *', null, 'int', flags) === 0
  );
}
