/**
 * The files that a pattern names: `conf.d/*.toml`. It walks the folders itself and uses only the patterns of minimatch, because a folder that cannot be
 * read has to be an error: the programs in it would be stopped at the next update.
 */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { braceExpand, minimatch } from 'minimatch';
import { systemCode } from '../../../shared/errors.ts';
import { plainReason } from '../../system-calls/plain-reasons.ts';

export type Matches = { readonly files: readonly string[] } | { readonly problem: string };

class FolderUnreadable extends Error {}

/** The files that match, absolute and sorted. A pattern without a wildcard stands for the file itself, whether that exists or not. */
export function filesOf(pattern: string, folder: string): Matches {
  try {
    const files = braceExpand(pattern).flatMap((one) => {
      const [root, path] = one.startsWith('/') ? ['/', one.slice(1)] : [folder, one];
      return walk(
        root,
        path.split('/').filter((part) => part !== '' && part !== '.'),
      );
    });
    return { files: [...new Set(files)].sort() };
  } catch (error) {
    if (error instanceof FolderUnreadable) return { problem: error.message };
    throw error;
  }
}

function walk(folder: string, [part, ...rest]: readonly string[]): readonly string[] {
  if (part === undefined) return [folder];
  if (!/[*?[(]/.test(part)) return walk(resolve(folder, part), rest);
  const isLast = rest.length === 0;
  if (part === '**')
    return [
      ...walk(folder, isLast ? ['*'] : rest),
      // Symlinks are not followed, because they may lead in a circle.
      ...entriesOf(folder).flatMap((entry) =>
        entry.isDirectory() && !entry.name.startsWith('.')
          ? walk(join(folder, entry.name), [part, ...rest])
          : [],
      ),
    ];
  return entriesOf(folder)
    .filter(({ name }) => minimatch(name, part))
    .flatMap(({ name }) => {
      const path = join(folder, name);
      return isFolder(path) === isLast ? [] : walk(path, rest);
    });
}

/** Whether the path is a directory; symlinks are followed. A path that cannot be examined does not count as one: reading it reports why. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const code = systemCode(error) ?? 'unknown error';
    // A folder that does not exist has no files: conf.d is made by the first package that puts a file there.
    if (code === 'ENOENT') return [];
    throw new FolderUnreadable(`cannot list the directory ${folder}: ${plainReason(code)}`);
  }
}
