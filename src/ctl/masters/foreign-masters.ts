/**
 * Finds control sockets that belong to other users. gracefulctl does not use them (the owner of a folder decides what answers in it), but reports
 * whose they are, and which command may use them.
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { controlFile, controlName } from '../../shared/control-path.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { lookFor } from '../../shared/look-for-listener.ts';
import type { Spelling } from './spelling.ts';

/** A folder of control sockets of another user. */
export interface ForeignFolder {
  readonly folder: string;
  readonly owner: number;
  /** The names of the masters in the folder; null if this user may not read it. */
  readonly names: readonly string[] | null;
}

/** Returns the folders of other users that hold a living master called `name` (null: any), or may hold one. */
export async function foreignMasters(
  { folders, foreignFolders, uid }: Places,
  name: string | null,
): Promise<readonly ForeignFolder[]> {
  const found: ForeignFolder[] = [];
  for (const folder of new Set([...folders, ...foreignFolders])) {
    const owner = ownerOf(folder);
    if (owner === null || owner === uid) continue;
    const names = await namesIn(folder);
    const wanted = name === null ? names : (names?.filter((one) => one === name) ?? null);
    if (wanted === null || wanted.length > 0) found.push({ folder, owner, names: wanted });
  }
  return found;
}

interface Places {
  readonly folders: readonly string[];
  readonly foreignFolders: readonly string[];
  readonly uid: number;
}

/** Returns an error if such a master is known, a hint if there may be one, and null if there are no such folders. */
export function describeForeign(
  found: readonly ForeignFolder[],
  name: string | null,
  { typed, spell }: Spelling,
): { readonly error?: GracefulRunError; readonly hint?: string } | null {
  const known = found.find(({ names }) => names !== null);
  if (known !== undefined) {
    const [first = ''] = known.names ?? [];
    const owner = userName(known.owner);
    const path = join(known.folder, controlFile(first));
    return {
      error: new GracefulRunError(
        'masterForbidden',
        `cannot use the master ${first}: its control socket ${path} belongs to user ${owner}`,
        { hint: `run it as that user: ${asOwner(known, spell(first))}` },
      ),
    };
  }
  const [hidden] = found;
  if (hidden === undefined) return null;
  return {
    hint: `user ${userName(hidden.owner)} may have one, in ${hidden.folder}: ${asOwner(hidden, name === null ? typed : spell(name))}`,
  };
}

/** Returns the command as one that may use the folder: it runs as the owner of the folder, and names it unless the owner's gracefulctl looks there by itself. */
function asOwner({ folder, owner }: ForeignFolder, command: string): string {
  const user = userName(owner);
  const sudo = owner === 0 ? 'sudo' : `sudo -u ${/^\d+$/.test(user) ? `'#${user}'` : user}`;
  const isUsual =
    folder === `/run/user/${owner}/graceful-run` ||
    folder === '/run/graceful-run' ||
    basename(folder) === `graceful-run-${owner}`;
  const where = isUsual
    ? ''
    : basename(folder) === 'graceful-run'
      ? `env XDG_RUNTIME_DIR=${dirname(folder)} `
      : `env GRACEFUL_RUN_CONTROL_FOLDER=${folder} `;
  return `${sudo} ${where}${command}`;
}

function ownerOf(folder: string): number | null {
  try {
    const stats = lstatSync(folder);
    return stats.isDirectory() ? stats.uid : null;
  } catch {
    // The folder does not exist, or is in a folder that this user may not enter.
    return null;
  }
}

async function namesIn(folder: string): Promise<readonly string[] | null> {
  let names: readonly string[];
  try {
    names = readdirSync(folder)
      .sort()
      .flatMap((file) => controlName(file) ?? []);
  } catch {
    return null;
  }
  const listeners = await Promise.all(names.map((name) => lookFor(join(folder, controlFile(name)))));
  return names.filter((_, index) => listeners[index] !== 'absent');
}

/** Returns the user's name, or the number if passwd(5) has no name for it. */
function userName(uid: number): string {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? String(uid);
  } catch {
    return String(uid);
  }
}
