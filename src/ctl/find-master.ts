/** Finds the control sockets of living masters, and the one that is meant. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { controlFile, controlName, folderProblem } from '../shared/control-path.ts';
import { GracefulRunError, systemCode } from '../shared/errors.ts';
import { describeForeign, foreignMasters } from './foreign-masters.ts';
import { lookFor } from './look-for-listener.ts';
import { nearest } from '../shared/nearest.ts';

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

/**
 * The master called `name`, or the only one when it is null.
 * @throws GracefulRunError masterNotFound, masterForbidden, masterAmbiguous.
 */
export async function findMaster(name: string | null, search: Search): Promise<FoundMaster> {
  const living = await findMasters(search);
  const wanted = name === null ? living : living.filter((master) => master.name === name);
  const [found, another] = wanted;
  if (found === undefined) throw await notFound(name, living, search);
  if (another !== undefined) {
    throw new GracefulRunError(
      'masterAmbiguous',
      `cannot choose a master: ${living.length} are running: ${namesOf(living)}`,
      { hint: `name one of them: gracefulctl ${search.command} ${found.name}` },
    );
  }
  return found;
}

/** The error when there is no master (called `name`): the nearest name, the masters of other users, or where it looked. */
async function notFound(
  name: string | null,
  living: readonly FoundMaster[],
  search: Search,
): Promise<GracefulRunError> {
  const close =
    name === null
      ? null
      : nearest(
          name,
          living.map((master) => master.name),
        );
  const foreign =
    close === null ? describeForeign(await foreignMasters(search, name), name, search.command) : null;
  if (foreign?.error !== undefined) return foreign.error;
  const what = name === null ? 'none is running' : `none called ${name} is running`;
  const hint =
    close !== null
      ? `did you mean gracefulctl ${search.command} ${close}?`
      : living.length > 0
        ? `running: ${namesOf(living)}`
        : [
            `looked for ${controlFile(name ?? '*')} in ${search.folders.join(', ')}`,
            ...search.folders.filter(isClosed).map((folder) => `this user has no access to ${folder}`),
            foreign?.hint,
          ]
            .filter((part) => part !== undefined)
            .join('; ');
  return new GracefulRunError('masterNotFound', `cannot find a master: ${what}`, { hint });
}

function namesOf(masters: readonly FoundMaster[]): string {
  return masters.map((master) => master.name).join(', ');
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
