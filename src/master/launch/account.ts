/** Looks up the user that a worker is to run as, when the worker is started. */
import { spawnSync } from 'node:child_process';
import { GracefulRunError } from '../../shared/errors.ts';
import { fieldsOf, readDatabase, type Database } from '../system-calls/user-database.ts';
import type { Account } from './process-wrappers.ts';

/** How long getent(1) may take to ask other sources of users. The master is blocked until it answers. */
const patienceMs = 5_000;

/** Looks up `www-data`, `www-data:web` or `33:33`. Returns null if that is the user that this process runs as. Errors: `userUnusable`. */
export function readAccount(written: string): Account | null {
  const [user = '', group] = written.split(':');
  const entry = find('passwd', user);
  const uid = entry === null ? numberOf(user) : numberOf(entry[2]);
  if (uid === null)
    throw unusable(written, `there is no user ${user}`, 'create it: useradd --system ' + user);
  const ownGroup = entry === null ? null : numberOf(entry[3]);
  const gid = group === undefined ? ownGroup : (numberOf(find('group', group)?.[2]) ?? numberOf(group));
  if (gid === null)
    throw group === undefined
      ? unusable(
          written,
          `user ${user} has no entry in the user database, so its group is not known`,
          `add the group: user = "${user}:${user}" (--user ${user}:${user})`,
        )
      : unusable(written, `there is no group ${group}`, `create it: groupadd --system ${group}`);
  if (uid === process.geteuid?.() && (group === undefined || gid === process.getegid?.())) return null;
  if (process.geteuid?.() !== 0)
    throw unusable(
      written,
      'only root can run programs as another user, and graceful-run does not run as root',
      'start graceful-run as root, or leave user (--user) out',
    );
  const [name = '', , , , , home = '/', shell = '/bin/sh'] = entry ?? [];
  return { uid, gid, entry: entry === null ? null : { name, home: home || '/', shell: shell || '/bin/sh' } };
}

/** Finds an entry in the files of the machine or, if it has other sources (nsswitch.conf(5)), through getent(1). */
function find(database: Database, name: string): readonly string[] | null {
  const found = fieldsOf(readDatabase(database), name);
  if (found !== null) return found;
  const asked: { readonly stdout: string | null } = spawnSync('getent', [database, name], {
    timeout: patienceMs,
    encoding: 'utf8',
  });
  // Null if there is no getent.
  return fieldsOf(asked.stdout ?? '', name);
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

function unusable(user: string, reason: string, hint: string): GracefulRunError {
  return new GracefulRunError('userUnusable', `cannot run as ${user}: ${reason}`, { hint });
}
