/** Changes the permissions and the owner of a held UNIX socket's file. Loaded when an update changes them. */
import { chmodSync, lchownSync, lstatSync } from 'node:fs';
import { GracefulRunError, messageOf, systemCode } from '../../shared/errors.ts';
import { formatPath } from '../../shared/format-address.ts';
import type { UnixListenerPlan } from '../config/plan.ts';
import type { Ownership } from '../system-calls/ownership.ts';
import { ownershipOf, unusable } from './unix-listener.ts';

/**
 * Changes whatever differs between the two listeners. `inode`: that of the file. Null permissions are those that the umask leaves, and a null owner is the
 * user of the master. Returns a function that undoes the change. Errors: `addressUnusable`.
 */
export async function fitFile(
  inode: number,
  before: UnixListenerPlan,
  { path, mode, owner }: UnixListenerPlan,
): Promise<() => Promise<void>> {
  const ownership = owner === before.owner ? null : await changedOwnership(path, before.owner, owner);
  if (ownership === null && mode === before.mode) return async () => Promise.resolve();
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.ino !== inode)
    throw new GracefulRunError(
      'addressUnusable',
      `cannot change the permissions of ${formatPath(path)}: another process has removed or replaced its file`,
      {
        hint: 'stop the program and start it again (gracefulctl stop, gracefulctl start), which makes the socket file again',
      },
    );
  const undo = async (): Promise<void> => {
    if (lstatSync(path, { throwIfNoEntry: false })?.ino !== inode) return Promise.resolve();
    lchownSync(path, found.uid, found.gid);
    chmodSync(path, found.mode & 0o7777);
    return Promise.resolve();
  };
  try {
    if (ownership !== null) lchownSync(path, ownership.uid, ownership.gid);
    if (mode !== before.mode) chmodSync(path, mode ?? 0o777 & ~umask());
  } catch (error) {
    throw unusable(path, systemCode(error) ?? messageOf(error));
  }
  return undo;
}

/** The listener as its file is now; null if it has none. */
export function planOfFile(plan: UnixListenerPlan): UnixListenerPlan | null {
  const found = lstatSync(plan.path, { throwIfNoEntry: false });
  return found === undefined
    ? null
    : { ...plan, mode: found.mode & 0o7777, owner: `${found.uid}:${found.gid}` };
}

/** The new owner. A user or group that only the previous listener named becomes that of the master again. */
async function changedOwnership(
  path: string,
  before: string | null,
  owner: string | null,
): Promise<Ownership> {
  const { uid, gid } = (await ownershipOf(path, owner)) ?? { uid: -1, gid: -1 };
  const [user = '', group = ''] = before?.split(':') ?? [];
  return {
    uid: uid === -1 && user !== '' ? (process.geteuid?.() ?? -1) : uid,
    gid: gid === -1 && group !== '' ? (process.getegid?.() ?? -1) : gid,
  };
}

/** The umask of the process, which can only be read by setting it. */
function umask(): number {
  const current = process.umask(0o077);
  process.umask(current);
  return current;
}
