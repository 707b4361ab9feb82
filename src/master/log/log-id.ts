/**
 * The sign by which a reader of the JSON log knows the master's own lines: chosen at random at every start, the same in every line of
 * the master, and never in a line of a worker (shared-output.ts).
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** 16 characters that cannot be guessed. From the device itself: node:crypto would take 2 MB for these 12 bytes. */
export function newLogId(): string {
  const file = openSync('/dev/urandom', 'r');
  try {
    const bytes = Buffer.alloc(12);
    readSync(file, bytes);
    return bytes.toString('base64url');
  } finally {
    closeSync(file);
  }
}
