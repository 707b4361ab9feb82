/**
 * UNIX sockets (unix(7)). Binds and holds them as listener.ts does with TCP. A file that a socket has left behind is replaced; one on which a process
 * listens never is. The file is removed when the listener is closed.
 */
import { lchownSync, lstatSync, unlinkSync, type Stats } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import { socketPathLimitBytes } from '../../shared/control-path.ts';
import { GracefulRunError, messageOf, systemCode } from '../../shared/errors.ts';
import { formatPath } from '../../shared/format-address.ts';
import { shortageHint } from '../../shared/shortage.ts';
import type { UnixListenerPlan } from '../config/plan.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';
import { closeDescriptor } from '../system-calls/descriptor-calls.ts';
import { listenAtPath, openUnixSocket } from '../system-calls/unix-socket-calls.ts';
import { type Ownership, readOwnership } from '../system-calls/ownership.ts';
import { isListenedOn } from './address-holder.ts';
import { withFolderLock } from './folder-lock.ts';
import { holdListener, type BoundListener } from './listener.ts';
import { handleOver } from './server-handle.ts';

/** Binds and listens once. Errors: `addressInUse`; `addressUnusable` for everything else. */
export async function bindUnixListener(plan: UnixListenerPlan): Promise<BoundListener> {
  const { name, path, backlog } = plan;
  refuseLongPath(path);
  const fd = await (isAbstract(path) ? bindName(plan) : bindFile(plan));
  const handle = handleOver(fd);
  if (typeof handle === 'string') {
    closeDescriptor(fd);
    throw unusable(path, handle);
  }
  const file = isAbstract(path) ? null : (lstatSync(path, { throwIfNoEntry: false })?.ino ?? null);
  return holdListener(
    {
      name,
      address: { type: 'unix', path },
      backlog,
      fd,
      handle,
      isUndecided: false,
      standsFor: null,
      ...(file === null ? {} : { file }),
    },
    () => {
      if (file !== null) removeOwn(path, file);
    },
  );
}

/** The error that bindUnixListener would throw at the moment; null if it would succeed. Binds nothing. */
export async function probeUnixAddress(plan: UnixListenerPlan): Promise<GracefulRunError | null> {
  const { path, owner } = plan;
  try {
    refuseLongPath(path);
    await ownershipOf(path, owner);
    // Node.js 20 cannot connect to an abstract name, because it fills the name up with zero bytes.
    const isFree = isAbstract(path) ? !isListenedOn(path) : (await findStale(path)) !== 'answered';
    return isFree ? null : inUse(path);
  } catch (error) {
    if (error instanceof GracefulRunError) return error;
    throw error;
  }
}

async function bindName(plan: UnixListenerPlan): Promise<number> {
  const socket = await socketFor(plan);
  try {
    return openAt(plan, null, socket);
  } catch (error) {
    closeDescriptor(socket);
    throw error;
  }
}

async function bindFile(plan: UnixListenerPlan): Promise<number> {
  const { path, owner } = plan;
  const ownership = await ownershipOf(path, owner);
  for (;;) {
    const stale = await findStale(path);
    if (stale === 'answered') throw inUse(path);
    const socket = await socketFor(plan);
    let isPlaced = false;
    try {
      // Another master may have come between the look and the bind.
      const fd = await withFolderLock(
        dirname(path),
        () => {
          if (identityOf(path) !== (stale?.identity ?? null)) return null;
          if (stale !== null) unlinkSync(path);
          return openAt(plan, ownership, socket);
        },
        () => inUse(path),
      );
      isPlaced = fd !== null;
      if (fd !== null) return fd;
    } catch (error) {
      throw error instanceof GracefulRunError ? error : unusable(path, systemCode(error) ?? messageOf(error));
    } finally {
      if (!isPlaced) closeDescriptor(socket);
    }
  }
}

async function socketFor({ path }: UnixListenerPlan): Promise<number> {
  const socket = await openUnixSocket();
  if (typeof socket === 'string') throw unusable(path, socket);
  return socket;
}

/** Binds the socket and listens. No client can connect in between, and the file has its permissions from its first moment. */
function openAt(plan: UnixListenerPlan, ownership: Ownership | null, socket: number): number {
  const { path, mode, backlog } = plan;
  const made = { isBound: false };
  try {
    const problem = listenAtPath(socket, path, {
      backlog,
      mode,
      bound: () => {
        made.isBound = true;
        if (ownership !== null) lchownSync(path, ownership.uid, ownership.gid);
      },
    });
    if (problem === 'EADDRINUSE') throw inUse(path);
    if (problem !== null) throw unusable(path, problem);
    return socket;
  } catch (error) {
    // No other process can have put another file there, because the directory is locked.
    if (made.isBound && !isAbstract(path)) unlinkSync(path);
    throw error;
  }
}

/** Finds the stale socket at the path; null if there is no file, `answered` if a process listens there. Throws if the file is not a socket. */
async function findStale(path: string): Promise<Stale | 'answered' | null> {
  for (;;) {
    const found = lookAt(path);
    if (found === null) return null;
    if (!found.isSocket()) throw occupied(path, found.isDirectory());
    const before = identityOf(path);
    const answer = await connects(path);
    if (answer === 'answered') return 'answered';
    if (answer === 'refused' && before !== null && before === identityOf(path)) return { identity: before };
  }
}

function occupied(path: string, isDirectory: boolean): GracefulRunError {
  const [found, hint] = isDirectory
    ? ['it is a directory', `choose a path in it, such as ${formatPath(path)}/app.sock`]
    : ['a file is there that is not a socket', `remove it (rm ${path}), or choose another path`];
  return new GracefulRunError('addressUnusable', `cannot listen on ${formatPath(path)}: ${found}`, { hint });
}

/** A file on which no process listens. */
interface Stale {
  readonly identity: string;
}

function lookAt(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    throw unusable(path, systemCode(error) ?? messageOf(error));
  }
}

function identityOf(path: string): string | null {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? null : `${found.dev} ${found.ino} ${found.ctimeNs}`;
}

/** Whether a process listens at the path. `refused`: none does. `absent`: there is no file. */
async function connects(path: string): Promise<'answered' | 'refused' | 'absent'> {
  return new Promise((resolve, reject) => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve('answered');
    });
    probe.once('error', (error) => {
      const code = systemCode(error);
      if (code === 'ECONNREFUSED') resolve('refused');
      else if (code === 'ENOENT') resolve('absent');
      // EAGAIN: the queue of the socket is full. EPROTOTYPE: it takes datagrams.
      else if (code === 'EAGAIN' || code === 'EPROTOTYPE') resolve('answered');
      else reject(unusable(path, code ?? messageOf(error)));
    });
  });
}

/** The numbers of the owner; null if none is named. Errors: `addressUnusable`. */
export async function ownershipOf(path: string, owner: string | null): Promise<Ownership | null> {
  if (owner === null) return null;
  const found = await readOwnership(owner);
  if (typeof found !== 'string') return found;
  throw new GracefulRunError('addressUnusable', `cannot listen on ${formatPath(path)}: ${found}`, {
    hint: 'see the users and groups of this machine with: getent passwd; getent group',
  });
}

/** Removes the file of a socket that is closed, if it is still the file of that socket. */
export function removeOwn(path: string, inode: number): void {
  try {
    // Another program may have put its own file there.
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === inode) unlinkSync(path);
  } catch {
    // This user may not write to the folder any more. The next master replaces a socket on which no process listens.
  }
}

function isAbstract(path: string): boolean {
  return path.startsWith('@');
}

function refuseLongPath(path: string): void {
  const limitBytes = socketPathLimitBytes(process.platform) + (isAbstract(path) ? 1 : 0);
  const lengthBytes = Buffer.byteLength(path);
  if (lengthBytes <= limitBytes) return;
  throw new GracefulRunError(
    'addressUnusable',
    `cannot listen on ${formatPath(path)}: the path of a socket may be ${limitBytes} bytes long, and this one has ${lengthBytes}`,
    { hint: 'choose a shorter path' },
  );
}

function inUse(path: string): GracefulRunError {
  return new GracefulRunError('addressInUse', `cannot listen on ${formatPath(path)}: the address is in use`);
}

export function unusable(path: string, code: string): GracefulRunError {
  const hint =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? `make its folder: mkdir -p ${dirname(path)}`
      : code === 'EACCES'
        ? `look who may write to its folder: ls -ld ${dirname(path)}`
        : shortageHint(code);
  return new GracefulRunError(
    'addressUnusable',
    `cannot listen on ${formatPath(path)}: ${plainReason(code)}`,
    hint === null ? {} : { hint },
  );
}
