/**
 * Claims a control socket's path: binds out of sight, then moves the socket to its name, unless a living master has it.
 * It must not know what is served on the socket.
 */
import { chmodSync, lstatSync, mkdtempSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import { routes } from '../../shared/control-api.ts';
import { askControl } from '../../shared/control-client.ts';
import { controlName, socketPathLimitBytes } from '../../shared/control-path.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { parseMasterPid } from './requests.ts';

/** How long the master that has the name may take to say its pid. */
const introductionMs = 1_000;

export interface Claim {
  readonly path: string;
  /** Removes the socket's name, if it is still this socket's. A second call does nothing. */
  release(): void;
}

/**
 * Makes `server` listen at `path`: replaces a socket on which nobody listens any more, and nothing else.
 * @throws GracefulRunError nameTaken when a master answers there; controlSocketUnusable when the path cannot be used.
 */
export async function claimSocket(server: Server, path: string): Promise<Claim> {
  refuseLongPath(path);
  let stale = await refuseLiving(path);
  // Not join(): it would drop the dot, and make the workshop beside the folder.
  const workshop = mkdtempSync(`${dirname(path)}/.`);
  const hidden = join(workshop, 's');
  try {
    await listen(server, hidden);
    // Nobody else can enter the workshop: at its name the socket is 0600 from its first moment.
    chmodSync(hidden, 0o600);
    // What is replaced is the very file that was found dead. Between the look and the rename lie microseconds, not
    // an exchange with a peer: two masters that start at once do not both get the name.
    while (inodeOf(path) !== stale) stale = await refuseLiving(path);
    renameSync(hidden, path);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    discard(hidden, workshop);
  }
  const own = inodeOf(path);
  return {
    path,
    release: () => {
      // Node.js unlinks what it bound, the hidden name; this one is ours to remove, while it is ours.
      if (own !== null && inodeOf(path) === own) rmSync(path, { force: true });
    },
  };
}

function refuseLongPath(path: string): void {
  const limitBytes = socketPathLimitBytes(process.platform);
  // The hidden name is as long as `.123456/s`.
  const lengthBytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(dirname(path)) + 10);
  if (lengthBytes <= limitBytes) return;
  throw unusable(path, `its path is ${lengthBytes} bytes long, and a socket's may be ${limitBytes}`, {
    hint: 'choose a shorter --name, or set XDG_RUNTIME_DIR to a folder with a shorter path',
  });
}

/** The inode of what lies at the path and is dead; null when nothing is there. Throws when somebody answers. */
async function refuseLiving(path: string): Promise<number | null> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isSocket()) {
    throw unusable(path, 'something that is not a socket is in its place', { hint: `remove ${path}` });
  }
  const exchange = await askControl({ path, method: 'GET', route: routes.status, timeoutMs: introductionMs });
  if ('noAnswer' in exchange && exchange.noAnswer === 'absent') return found.ino;
  const pid = 'answer' in exchange ? parseMasterPid(exchange.answer.body) : null;
  const name = controlName(path) ?? path;
  throw new GracefulRunError(
    'nameTaken',
    `cannot use the name ${name}: ${pid === null ? 'a master that does not tell its pid' : `the master with pid ${pid}`} has it`,
    {
      // A name that nobody chose is the port.
      hint: /^\d+$/.test(name)
        ? `it holds that port: stop it (gracefulctl stop --name ${name}), or choose another --port`
        : `give this one another name with --name, or stop the other: gracefulctl stop --name ${name}`,
    },
  );
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function inodeOf(path: string): number | null {
  return lstatSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

function discard(hidden: string, workshop: string): void {
  rmSync(hidden, { force: true });
  rmdirSync(workshop);
}

function unusable(path: string, reason: string, options: { hint: string }): GracefulRunError {
  return new GracefulRunError(
    'controlSocketUnusable',
    `cannot open the control socket ${path}: ${reason}`,
    options,
  );
}
