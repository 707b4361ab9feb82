/** Finds the control sockets on which masters of this user listen. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { controlName, folderProblem } from './control-path.ts';
import { systemCode } from './errors.ts';
import { lookFor } from './look-for-listener.ts';

/** A control socket, and the name of its master. */
export interface ControlSocket {
  readonly name: string;
  readonly path: string;
}

/**
 * Finds the control sockets of living masters in `folders`, best first. Sockets without a listening process, and folders that other users could have
 * filled, do not count. If a name is in two folders, the first one counts.
 */
export async function findControlSockets(
  folders: readonly string[],
  uid: number,
): Promise<readonly ControlSocket[]> {
  const trusted = folders.filter((folder) => isTrusted(folder, uid));
  const living = await livingAmong(trusted.flatMap(socketsIn));
  return living.filter(({ name }, index) => living.findIndex((other) => other.name === name) === index);
}

/** Finds the control sockets that killed masters have left behind. No process listens on them, and the next master of the same name replaces its own. */
export async function findLeftSockets(
  folders: readonly string[],
  uid: number,
): Promise<readonly ControlSocket[]> {
  const all = folders.filter((folder) => isTrusted(folder, uid)).flatMap(socketsIn);
  const living = await livingAmong(all);
  return all.filter((one) => !living.includes(one));
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

/** True if this user may not enter the folder's parent: `su` keeps the XDG_RUNTIME_DIR of the user that called it. */
export function isClosed(folder: string): boolean {
  try {
    lstatSync(folder, { throwIfNoEntry: false });
    return false;
  } catch (error) {
    if (systemCode(error) === 'EACCES') return true;
    throw error;
  }
}

function socketsIn(folder: string): readonly ControlSocket[] {
  return readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const name = controlName(file);
      return name === null ? [] : [{ name, path: join(folder, file) }];
    });
}

async function livingAmong(candidates: readonly ControlSocket[]): Promise<readonly ControlSocket[]> {
  const found = await Promise.all(candidates.map(({ path }) => lookFor(path)));
  return candidates.filter((_, index) => found[index] === 'listening');
}
