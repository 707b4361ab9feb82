/** The folder that the master was started in, as its user named it. */
import { statSync } from 'node:fs';
import { GracefulRunError } from '../../shared/errors.ts';

/**
 * `$PWD` if it is the current folder, else what getcwd(3) returns. The kernel resolves symlinks: a master started in `/srv/app/current` would stay in the
 * release that the symlink pointed to then, although its user means the one that it points to at each start.
 */
export function workingDirectory(environment: NodeJS.ProcessEnv): string {
  const physical = currentFolder();
  const logical = environment['PWD'];
  return logical?.startsWith('/') === true && isSameFolder(logical, physical) ? logical : physical;
}

function currentFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new GracefulRunError('cwdMissing', 'cannot determine the current directory: it was removed', {
      hint: 'change to a directory that exists: cd',
      cause,
    });
  }
}

function isSameFolder(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}
