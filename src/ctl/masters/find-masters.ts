/** Finds the control sockets of living masters. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { controlFile, controlName, folderProblem } from '../../shared/control-path.ts';
import { GracefulRunError, systemCode } from '../../shared/errors.ts';
import { describeForeign, foreignMasters } from './foreign-masters.ts';
import { lookFor } from './look-for-listener.ts';

export interface FoundMaster {
  readonly name: string;
  readonly path: string;
}

/** Where and as whom to look. */
export interface Search {
  /** Best first. */
  readonly folders: readonly string[];
  /** Where masters of other users may be. */
  readonly foreignFolders: readonly string[];
  readonly uid: number;
  /** The rest of the command line, for hints: `status`. */
  readonly command: string;
}

/**
 * All living masters of this user. Sockets without a listening process, and folders that other users could have filled, do not count.
 * Of a name that is in two folders, the first one.
 */
export async function findMasters({ folders, uid }: Search): Promise<readonly FoundMaster[]> {
  const trusted = folders.filter((folder) => isTrusted(folder, uid));
  const living = await livingAmong(trusted.flatMap(socketsIn));
  return living.filter(({ name }, index) => living.findIndex((other) => other.name === name) === index);
}

/** The error when no master of this user runs: that of another user which is called `name` (null: any), or where it looked. */
export async function notFound(name: string | null, search: Search): Promise<GracefulRunError> {
  const foreign = describeForeign(await foreignMasters(search, name), name, search.command);
  if (foreign?.error !== undefined) return foreign.error;
  const what = name === null ? 'none is running' : `none called ${name} is running`;
  const hint = [
    `looked for ${controlFile(name ?? '*')} in ${search.folders.join(', ')}`,
    ...search.folders.filter(isClosed).map((folder) => `this user has no access to ${folder}`),
    foreign?.hint,
  ]
    .filter((part) => part !== undefined)
    .join('; ');
  return new GracefulRunError('masterNotFound', `cannot find a master: ${what}`, { hint });
}

/** The error that names the other user whose master is called so; null if there is none. */
export async function foreignError(name: string, search: Search): Promise<GracefulRunError | null> {
  return describeForeign(await foreignMasters(search, name), name, search.command)?.error ?? null;
}

function isTrusted(folder: string, uid: number): boolean {
  if (isClosed(folder)) return false;
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  const facts = {
    isFolder: stats.isDirectory(),
    isLink: stats.isSymbolicLink(),
    uid: stats.uid,
    mode: stats.mode,
  };
  return folderProblem(facts, uid) === null;
}

/** True if this user may not enter its parent: `su` keeps the XDG_RUNTIME_DIR of the user that called it. */
function isClosed(folder: string): boolean {
  try {
    lstatSync(folder, { throwIfNoEntry: false });
    return false;
  } catch (error) {
    if (systemCode(error) === 'EACCES') return true;
    throw error;
  }
}

function socketsIn(folder: string): readonly FoundMaster[] {
  return readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const name = controlName(file);
      return name === null ? [] : [{ name, path: join(folder, file) }];
    });
}

async function livingAmong(candidates: readonly FoundMaster[]): Promise<readonly FoundMaster[]> {
  const found = await Promise.all(candidates.map(({ path }) => lookFor(path)));
  return candidates.filter((_, index) => found[index] === 'listening');
}
