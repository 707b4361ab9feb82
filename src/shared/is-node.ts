/** Tells Node.js processes from others, as /proc shows them. */
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Does the process run Node.js? False where there is no /proc to look into. */
export function isNode(pid: number): boolean {
  try {
    return ['node', basename(process.execPath)].includes(basename(readlinkSync(`/proc/${pid}/exe`)));
  } catch {
    return false;
  }
}
