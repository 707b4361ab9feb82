/** Where a log file is, however its path is written. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * The absolute path with the symlinks of its folder resolved: two programs, or two releases, may reach one folder in different ways. The file itself may
 * not be there yet, and what is there may change, so its own symlink stays.
 */
export function placeOf(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    // There is no such directory. Opening the file reports it.
    return path;
  }
}
