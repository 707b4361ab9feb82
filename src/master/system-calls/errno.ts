/** Names for the numbers that system calls return as errors. */
import { getSystemErrorName } from 'node:util';

/** The name of an error number: `EADDRINUSE` for 98 or -98 (the sign differs between errno and libuv). */
export function systemErrorCode(errno: number): string {
  return getSystemErrorName(-Math.abs(errno));
}
