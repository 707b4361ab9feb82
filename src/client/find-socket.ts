/** Finds the control socket of a master. */
import { clientFolders, controlFile } from '../shared/control-path.ts';
import { GracefulRunError } from '../shared/errors.ts';
import { findControlSockets } from '../shared/find-control-sockets.ts';
import { nearest } from '../shared/nearest.ts';

/**
 * Returns the path of the socket of the master called `name`, or of the only master if that is null. Looks where gracefulctl looks: a folder that
 * other users could have filled does not count. @throws GracefulRunError masterNotFound, masterAmbiguous.
 */
export async function findSocket(name: string | null): Promise<string> {
  const uid = process.geteuid?.() ?? 0;
  const folders = clientFolders(process.env, uid);
  const living = await findControlSockets(folders, uid);
  const [found, another] = name === null ? living : living.filter((socket) => socket.name === name);
  const names = living.map((socket) => socket.name);
  if (found === undefined) {
    const close = name === null ? null : nearest(name, names);
    throw new GracefulRunError(
      'masterNotFound',
      `cannot find a master: ${name === null ? 'none is running' : `none called ${name} is running`}`,
      {
        hint:
          close !== null
            ? `did you mean ${close}?`
            : names.length > 0
              ? `running: ${names.join(', ')}`
              : `looked for ${controlFile(name ?? '*')} in ${folders.join(', ')}`,
      },
    );
  }
  if (another !== undefined) {
    throw new GracefulRunError(
      'masterAmbiguous',
      `cannot choose a master: ${names.length} are running: ${names.join(', ')}`,
      { hint: `name one of them: connect({ name: '${found.name}' })` },
    );
  }
  return found.path;
}
