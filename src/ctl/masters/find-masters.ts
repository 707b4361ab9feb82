/** Finds the control sockets of living masters. */
import { controlFile } from '../../shared/control-path.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import {
  type ControlSocket,
  findControlSockets,
  findLeftSockets,
  isClosed,
} from '../../shared/find-control-sockets.ts';
import { describeForeign, foreignMasters } from './foreign-masters.ts';
import type { Spelling } from './spelling.ts';

export type FoundMaster = ControlSocket;

/** The folders to search, and the user who searches. */
export interface Search {
  /** The folders of this user's masters, best first. */
  readonly folders: readonly string[];
  /** The folders in which masters of other users may be. */
  readonly foreignFolders: readonly string[];
  readonly uid: number;
}

/**
 * Finds all living masters of this user. Sockets without a listening process, and folders that other users could have filled, do not count. If a name
 * is in two folders, the first one counts.
 */
export async function findMasters({ folders, uid }: Search): Promise<readonly FoundMaster[]> {
  return findControlSockets(folders, uid);
}

/**
 * Returns the error for the case that no master of this user runs. It names another user's master called `name` (null: any) if there is one,
 * otherwise the folders that were searched.
 */
export async function notFound(
  name: string | null,
  search: Search,
  spelling: Spelling,
): Promise<GracefulRunError> {
  const foreign = describeForeign(await foreignMasters(search, name), name, spelling);
  if (foreign?.error !== undefined) return foreign.error;
  const left = await findLeftSockets(search.folders, search.uid);
  const killed = left.find((one) => name === null || one.name === name);
  if (killed !== undefined && (name !== null || left.length === 1))
    return new GracefulRunError('masterNotFound', `cannot find a master: ${killed.name} was killed`, {
      hint: `start it again at once: its workers serve for a while (--rescue, 10s by default), and it takes over from them (${killed.path} is left of it)`,
    });
  const what = name === null ? 'none is running' : `none called ${name} is running`;
  const hint = [
    'start graceful-run, or run this as the user that started it',
    `looked for ${controlFile(name ?? '*')} in ${search.folders.join(', ')}`,
    ...search.folders.filter(isClosed).map((folder) => `this user has no access to ${folder}`),
    foreign?.hint,
  ]
    .filter((part) => part !== undefined)
    .join('; ');
  return new GracefulRunError('masterNotFound', `cannot find a master: ${what}`, { hint });
}

/** Returns the error that says which other user has a master of this name; null if there is none. */
export async function foreignError(
  name: string,
  search: Search,
  spelling: Spelling,
): Promise<GracefulRunError | null> {
  return describeForeign(await foreignMasters(search, name), name, spelling)?.error ?? null;
}
