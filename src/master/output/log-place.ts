/** The place of a log file, which is the same however its path is written. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * The absolute path with the symlinks of its folder resolved: two programs, or two releases, may reach one folder by different paths. A symlink that is
 * the file itself stays, because the file may not exist yet, and may change.
 */
export function placeOf(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    // There is no such directory. Opening the file reports it.
    return path;
  }
}
