/** Makes a folder for a control socket, or says why the folder cannot be used. */
import { accessSync, constants, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { folderProblem } from '../../shared/control-path.ts';
import { GracefulRunError, systemCode } from '../../shared/errors.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';

/** Why a control socket cannot be in a folder: the next folder is tried. */
export class FolderProblem extends Error {
  readonly hint: string;

  constructor(reason: string, hint: string) {
    super(reason);
    this.hint = hint;
  }
}

/**
 * Calls `use` for one folder after the other until it does not throw a FolderProblem. Returns its result, and what is wrong with the folders before.
 * @throws GracefulRunError controlSocketUnusable if none can be used.
 */
export async function inUsableFolder<Result>(
  folders: readonly string[],
  use: (folder: string) => Promise<Result>,
): Promise<{ readonly result: Result; readonly problems: readonly string[] }> {
  const problems: string[] = [];
  const hints: string[] = [];
  for (const folder of folders) {
    try {
      return { result: await use(folder), problems };
    } catch (error) {
      if (!(error instanceof FolderProblem)) throw error;
      problems.push(`${folder}: ${error.message}`);
      hints.push(error.hint);
    }
  }
  throw new GracefulRunError(
    'controlSocketUnusable',
    `cannot open the control socket: ${problems.join('; ')}`,
    { hint: hints.at(-1) ?? 'name a directory with GRACEFUL_RUN_CONTROL_FOLDER' },
  );
}

const ownFolderHint =
  'set XDG_RUNTIME_DIR to a directory that only you can write to, or remove the directory that is in the way';

/** Makes the folder for its owner alone, unless it exists. @throws FolderProblem if others can write to it, or it cannot be made. */
export function makeFolder(folder: string, uid: number): void {
  try {
    // Not recursive: it is not graceful-run's task to make a missing /run/user/1000.
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') throw new FolderProblem(`there is no ${dirname(folder)}`, ownFolderHint);
    if (code !== 'EEXIST') throw asFolderProblem(error);
  }
  inspectExisting(folder, uid);
}

/** Checks whether makeFolder could make the folder, and a socket could be put into it. Changes nothing. @throws FolderProblem if not. */
export function inspectFolder(folder: string, uid: number): void {
  const parent = dirname(folder);
  try {
    const isThere = lstatSync(folder, { throwIfNoEntry: false }) !== undefined;
    if (isThere) inspectExisting(folder, uid);
    else if (!existsSync(parent)) throw new FolderProblem(`there is no ${parent}`, ownFolderHint);
    accessSync(isThere ? folder : parent, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw asFolderProblem(error);
  }
}

function inspectExisting(folder: string, uid: number): void {
  // lstat, because another user could redirect a symlink to one of this user's folders at any time.
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) throw new FolderProblem('it was removed just now', ownFolderHint);
  const { uid: owner, mode } = stats;
  const facts = { isFolder: stats.isDirectory(), isLink: stats.isSymbolicLink(), uid: owner, mode };
  const problem = folderProblem(facts, uid);
  if (problem !== null) throw new FolderProblem(problem, ownFolderHint);
}

/** Converts an error of the system to a FolderProblem; any other error is returned unchanged. */
export function asFolderProblem(error: unknown): unknown {
  const code = error instanceof GracefulRunError ? null : systemCode(error);
  return code === null ? error : new FolderProblem(plainReason(code), ownFolderHint);
}
