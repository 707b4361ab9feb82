/** Reads the beginning of a file: enough for a first line, or for a short script. */
import { closeSync, openSync, readSync } from 'node:fs';

/** The first 4 KB as text. Empty if the file cannot be read: a program may be executable without being readable. */
export function headOf(file: string): string {
  try {
    const fd = openSync(file, 'r');
    try {
      const buffer = Buffer.alloc(4096);
      return buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}
