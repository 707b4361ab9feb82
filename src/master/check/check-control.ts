/** Checks whether the control socket of a master could be opened: a folder for it, and a name that no other master has. Makes nothing. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { askControl } from '../../shared/control-client.ts';
import { routes } from '../../shared/control-api.ts';
import { controlFile } from '../../shared/control-path.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { refuseLongPath } from '../control/claim-socket.ts';
import { FolderProblem, inspectFolder, inUsableFolder } from '../control/socket-folder.ts';
import type { Finding } from './finding.ts';
import type { RunningMaster } from './running-masters.ts';

/** How long a process that listens at the path may take to answer. */
const patienceMs = 1_000;

export interface ControlCheck {
  /** The name of the control socket, or null if it is not known before the port is bound. */
  readonly name: string | null;
  /** The folders that the socket may be in, best first: the first usable one is taken. */
  readonly folders: readonly string[];
  readonly uid: number;
  readonly masters: readonly RunningMaster[];
  readonly isOwn: (master: RunningMaster) => boolean;
}

export async function checkControl(check: ControlCheck): Promise<Finding | null> {
  const { name, folders, uid, masters, isOwn } = check;
  const holder = masters.find((master) => master.name === name);
  if (holder !== undefined) return isOwn(holder) ? null : nameTaken(holder.name, holder);
  try {
    const { result } = await inUsableFolder(folders, async (folder) => {
      inspectFolder(folder, uid);
      if (name === null) return null;
      const path = join(folder, controlFile(name));
      refuseLongPath(path);
      return checkPath(path, name);
    });
    return result;
  } catch (error) {
    if (!(error instanceof GracefulRunError) || error.code !== 'controlSocketUnusable') throw error;
    return { program: null, option: 'control', message: error.message, hint: error.hint };
  }
}

/** Checks whether a running master has the socket at this path. @throws FolderProblem if there is a file that is not a socket: the next folder is tried. */
async function checkPath(path: string, name: string): Promise<Finding | null> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isSocket()) throw new FolderProblem(`${path} is not a socket`, `remove ${path}`);
  const exchange = await askControl({ path, method: 'GET', route: routes.status, timeoutMs: patienceMs });
  return 'noAnswer' in exchange && exchange.noAnswer === 'absent' ? null : nameTaken(name, null);
}

function nameTaken(name: string, holder: RunningMaster | null): Finding {
  const who =
    holder === null
      ? 'a master with an unknown pid'
      : `the master with pid ${holder.pid}${holder.file === null ? '' : ` (${holder.file})`}`;
  return {
    program: null,
    option: 'name',
    message: `cannot use the name ${name}: ${who} already uses it`,
    hint: `choose another name, or stop that master: gracefulctl shutdown ${name}`,
  };
}
