/** Recognises processes that run Node.js, by what /proc shows of them. */
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Whether the process runs Node.js. False if there is no /proc. */
export function isNode(pid: number): boolean {
  try {
    return ['node', basename(process.execPath)].includes(basename(readlinkSync(`/proc/${pid}/exe`)));
  } catch {
    return false;
  }
}
