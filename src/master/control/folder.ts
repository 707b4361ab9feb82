/** Finds the folder that a control socket may live in, and makes it where it is missing. It must not know what is put there. */
import { lstatSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { folderProblem } from '../../shared/control-path.ts';
import { GracefulRunError, messageOf, systemCode } from '../../shared/errors.ts';

/**
 * The first of the folders that is there (or can be made, for us alone) and that only we can write to.
 * @throws GracefulRunError controlSocketUnusable, with what is wrong with each of them.
 */
export function usableFolder(folders: readonly string[], uid: number): string {
  const problems: string[] = [];
  for (const folder of folders) {
    const problem = make(folder) ?? folderProblem(factsOf(folder), uid);
    if (problem === null) return folder;
    problems.push(`${folder}: ${problem}`);
  }
  throw new GracefulRunError(
    'controlSocketUnusable',
    `cannot open the control socket: ${problems.join('; ')}`,
    {
      hint: 'set XDG_RUNTIME_DIR to a folder that belongs to you alone, or remove the folder that is in the way',
    },
  );
}

/** Why it could not be made; null when it is there. */
function make(folder: string): string | null {
  try {
    // Not recursive: a missing /run/user/1000 is not ours to make.
    mkdirSync(folder, { mode: 0o700 });
    return null;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return null;
    return code === 'ENOENT' ? `there is no ${dirname(folder)}` : messageOf(error);
  }
}

function factsOf(folder: string): { isFolder: boolean; isLink: boolean; uid: number; mode: number } {
  // lstat: a link into a folder of ours, made by somebody else, can be turned elsewhere at any time.
  const stats = lstatSync(folder);
  return { isFolder: stats.isDirectory(), isLink: stats.isSymbolicLink(), uid: stats.uid, mode: stats.mode };
}
