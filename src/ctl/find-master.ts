/** Finds the control socket of the master that is meant. It must not know what is asked of it. */
import { lstatSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { controlFile, controlName, folderProblem } from '../shared/control-path.ts';
import { GracefulRunError, systemCode } from '../shared/errors.ts';

export interface FoundMaster {
  readonly name: string;
  readonly path: string;
}

/**
 * The living master called `name`, or the only living one when no name is given. Sockets on which nobody listens, and
 * folders that others could have filled, do not count.
 * @throws GracefulRunError masterNotFound, masterAmbiguous.
 */
export async function findMaster(
  name: string | undefined,
  folders: readonly string[],
  uid: number,
): Promise<FoundMaster> {
  const trusted = folders.filter((folder) => isTrusted(folder, uid));
  const living = await livingAmong(trusted.flatMap(socketsIn));
  const wanted = name === undefined ? living : living.filter((master) => master.name === name);
  const names = living.map((master) => master.name).join(', ');
  const [found, another] = wanted;
  if (found === undefined) {
    throw new GracefulRunError(
      'masterNotFound',
      `cannot find a master: none ${name === undefined ? 'is running' : `called ${name} is running`}`,
      {
        hint:
          names === ''
            ? `it must run as the same user; looked for ${controlFile(name ?? '*')} in ${folders.join(', ')}`
            : `running: ${names}`,
      },
    );
  }
  // The same name in two folders: the first folder is the better one.
  if (name === undefined && another !== undefined) {
    throw new GracefulRunError(
      'masterAmbiguous',
      `cannot choose a master: ${living.length} are running: ${names}`,
      {
        hint: `name one of them: --name ${found.name}`,
      },
    );
  }
  return found;
}

function isTrusted(folder: string, uid: number): boolean {
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

function socketsIn(folder: string): readonly FoundMaster[] {
  return readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const name = controlName(file);
      return name === null ? [] : [{ name, path: join(folder, file) }];
    });
}

async function livingAmong(candidates: readonly FoundMaster[]): Promise<readonly FoundMaster[]> {
  const alive = await Promise.all(candidates.map(({ path }) => isListening(path)));
  return candidates.filter((_, index) => alive[index] === true);
}

/** Whether somebody has the socket open for connections; they may still be too busy to answer. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      // EAGAIN: its accept queue is full, so it is there.
      resolve(systemCode(error) === 'EAGAIN');
    });
  });
}
