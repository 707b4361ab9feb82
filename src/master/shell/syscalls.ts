/**
 * The system calls that Node.js does not offer. The one file that knows koffi, which is loaded at the first call.
 */
import { systemErrorCode } from './system-errors.ts';

/**
 * listen(2): makes the bound socket `fd` a listening one, without anybody polling or accepting.
 * Called again, it only changes the length of the queue. Returns null, or the name of the error (`EADDRINUSE` …).
 */
export async function listen(fd: number, backlog: number): Promise<string | null> {
  const { default: koffi } = await import('koffi');
  const call: (fd: number, backlog: number) => number = koffi.load(null).func('int listen(int, int)');
  return call(fd, backlog) === 0 ? null : systemErrorCode(koffi.errno());
}
