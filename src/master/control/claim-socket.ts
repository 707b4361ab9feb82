/**
 * Claims a control socket's path: binds out of sight, then moves the socket to its name, unless a living master has it.
 */
import { chmodSync, lstatSync, mkdtempSync, renameSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import { routes } from '../../shared/control-api.ts';
import { askControl, type ControlExchange } from '../../shared/control-client.ts';
import { controlName, socketPathLimitBytes } from '../../shared/control-path.ts';
import { GracefulRunError, messageOf, systemCode } from '../../shared/errors.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';
import { asFolderProblem, FolderProblem } from './socket-folder.ts';
import { withFolderLock } from '../sockets/folder-lock.ts';
import { parseNameHolder } from './read-request.ts';

/** How long the master that has the name may take to tell its pid. */
const introductionMs = 1_000;

export interface Claim {
  readonly path: string;
  /** Whether the socket is still at its path. */
  isHeld(): boolean;
  /** Removes the socket, if it is still at its path. Returns null, or why it cannot be removed. A second call does nothing. */
  release(): string | null;
}

/** Called if the master with this pid has the name and is stopping. Resolves after a moment to whether to look at the path again. */
export type WaitForHolder = (pid: number) => Promise<boolean>;

/**
 * Makes `server` listen at `path`. It replaces a socket on which no process listens any more, and nothing else. If a master that is stopping answers
 * there, it waits for as long as `wait` says.
 * @throws GracefulRunError nameTaken if a master answers there; FolderProblem if the path cannot be used. After an error nothing of this server is left at
 * the path, and other files are untouched; `server` is still to be closed.
 */
export async function claimSocket(
  server: Server,
  path: string,
  wait: WaitForHolder = () => Promise.resolve(false),
): Promise<Claim> {
  refuseLongPath(path);
  try {
    await placeSocket(server, path, wait);
  } catch (error) {
    throw asFolderProblem(error);
  }
  return claimHeld(path);
}

/** The claim of the socket at this path, which belongs to this process already. */
export function claimHeld(path: string): Claim {
  const own = lstatSync(path, { throwIfNoEntry: false })?.ino;
  // While the socket is open, the kernel does not give its inode number to another file.
  const isHeld = (): boolean => own !== undefined && lstatSync(path, { throwIfNoEntry: false })?.ino === own;
  return {
    path,
    isHeld: () => attempt(isHeld, false),
    release: () =>
      attempt(() => {
        // Node.js unlinks only the hidden name, which it has bound. The file at the path is this master's to remove, as long as it is the same file.
        if (isHeld()) unlinkSync(path);
        return null;
      }, plainly),
  };
}

async function placeSocket(server: Server, path: string, wait: WaitForHolder): Promise<void> {
  let stale = await refuseLiving(path, wait);
  // join() would drop the dot, and so make the temporary directory beside the folder instead of in it.
  const workshop = mkdtempSync(`${dirname(path)}/.`);
  const hidden = join(workshop, 's');
  try {
    await listen(server, hidden);
    // Other users cannot enter the temporary directory: at its name the socket is 0600 from its first moment.
    chmodSync(hidden, 0o600);
    // Only the very file that was found stale is replaced. The lock keeps other masters out between the look and the rename.
    const place = (): boolean => {
      if (identityOf(path) !== stale) return false;
      renameSync(hidden, path);
      return true;
    };
    while (!(await withFolderLock(dirname(path), place, isLocked))) stale = await refuseLiving(path, wait);
  } finally {
    discard(hidden, workshop);
  }
}

function isLocked(): FolderProblem {
  return new FolderProblem('another process has locked it', 'look for a stopped master (state T in ps)');
}

/** Checks the length of the path. @throws FolderProblem if the path, or that of the hidden name, is too long for a socket. */
export function refuseLongPath(path: string): void {
  const limitBytes = socketPathLimitBytes(process.platform);
  // The hidden name is as long as `.123456/s`.
  const lengthBytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(dirname(path)) + 10);
  if (lengthBytes <= limitBytes) return;
  throw new FolderProblem(
    `the socket's path would be ${lengthBytes} bytes long, and may be ${limitBytes}`,
    'choose a shorter name, or set XDG_RUNTIME_DIR to a directory with a shorter path',
  );
}

/** The stale socket at the path; null if there is none. Throws if a process answers, or if the file is not a socket. */
async function refuseLiving(path: string, wait: WaitForHolder): Promise<string | null> {
  let pid: number | null = null;
  /** The identity of the socket at which a master has said that it is stopping; null if none has. */
  let stopping: string | null = null;
  for (;;) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return null;
    const identity = identityOf(path);
    if (!found.isSocket()) throw new FolderProblem(`${path} is not a socket`, `remove ${path}`);
    const exchange = await introduce(path);
    if ('noAnswer' in exchange && exchange.noAnswer === 'absent') return identity;
    const holder = 'answer' in exchange ? parseNameHolder(exchange.answer.body) : null;
    if (holder !== null) stopping = holder.isStopping ? identity : null;
    pid = holder?.pid ?? pid;
    // A master that said it is stopping may end while it is asked again, or be too busy to answer. Any other holder keeps the name.
    if (pid === null || stopping === null || stopping !== identity || !(await wait(pid)))
      throw nameTaken(path, pid);
  }
}

/** Asks the master at the socket who it is. A master of an older version can only be asked for its status. */
async function introduce(path: string): Promise<ControlExchange> {
  const ask = async (route: string): Promise<ControlExchange> =>
    askControl({ path, method: 'GET', route, timeoutMs: introductionMs });
  const exchange = await ask(routes.master);
  return 'answer' in exchange && exchange.answer.status === 404 ? ask(routes.status) : exchange;
}

function nameTaken(path: string, pid: number | null): GracefulRunError {
  const name = controlName(path) ?? path;
  return new GracefulRunError(
    'nameTaken',
    `cannot use the name ${name}: ${pid === null ? 'a master with an unknown pid' : `the master with pid ${pid}`} already uses it`,
    {
      // A name that is a number was not chosen: it is the port.
      hint: /^\d+$/.test(name)
        ? `it holds that port: stop it (gracefulctl shutdown ${name}), or choose another port`
        : `give this one another name (--name, or name in [master]), or stop the other: gracefulctl shutdown ${name}`,
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

/** Tells a file from a later one at the same path, even if that has got the same inode number. Null if there is no file. */
function identityOf(path: string): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? null : `${stats.ino} ${stats.ctimeNs}`;
}

function discard(hidden: string, workshop: string): void {
  attempt(() => {
    rmSync(hidden, { force: true });
    rmdirSync(workshop);
  }, undefined);
}

/** Returns the result of `action`. If it throws: `otherwise`, or what `otherwise` returns for the error. */
function attempt<Result>(action: () => Result, otherwise: Result | ((error: unknown) => Result)): Result {
  try {
    return action();
  } catch (error) {
    return otherwise instanceof Function ? otherwise(error) : otherwise;
  }
}

function plainly(error: unknown): string {
  return plainReason(systemCode(error) ?? messageOf(error));
}
