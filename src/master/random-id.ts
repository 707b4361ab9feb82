/**
 * Names that cannot be guessed. By the log's id, a reader tells the master's own lines from those of workers; and only the processes of a worker know the
 * name of the lock on its channel.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** Returns 16 random characters. They come from the device itself, because loading node:crypto would cost the master 2 MB. */
export function randomId(): string {
  const file = openSync('/dev/urandom', 'r');
  try {
    const bytes = Buffer.alloc(12);
    readSync(file, bytes);
    return bytes.toString('base64url');
  } finally {
    closeSync(file);
  }
}
