/** What the open descriptors of another process lead to. Linux only. */
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** How many descriptors of the process lead to something whose name contains `name`, such as `[eventpoll]`. */
export function countOpen(pid: number, name: string): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((fd) => linkOf(join(folder, fd)).includes(name)).length;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // It was closed meanwhile.
  }
}
