/** Finds the numbers of a user and a group, as chown(1) takes them: `www-data`, `www-data:web`, `:web`, `33:33`. */
import { execFile } from 'node:child_process';
import { fieldsOf, readDatabase } from './user-database.ts';

export interface Ownership {
  /** The number of the user; -1 if it is not changed. */
  readonly uid: number;
  readonly gid: number;
}

/** Finds the numbers of the written owner, or says what is wrong with it, such as `there is no user www`. A user without a group leaves the group as it is. */
export async function readOwnership(written: string): Promise<Ownership | string> {
  const [user = '', group = ''] = written.split(':');
  const uid = user === '' ? -1 : await idOf('passwd', user);
  if (uid === null) return `there is no user ${user}`;
  const gid = group === '' ? -1 : await idOf('group', group);
  return gid === null ? `there is no group ${group}` : { uid, gid };
}

/** The number of a user or group, from the files of the machine or, if it has other sources (nsswitch.conf(5)), through getent(1). */
async function idOf(database: 'passwd' | 'group', name: string): Promise<number | null> {
  if (/^\d+$/.test(name)) return Number(name);
  return findIn(readDatabase(database), name) ?? findIn(await ask(database, name), name);
}

/** In both databases, the third field of a line is the number. */
function findIn(text: string, name: string): number | null {
  const id = fieldsOf(text, name)?.[2];
  return id === undefined || !/^\d+$/.test(id) ? null : Number(id);
}

async function ask(database: string, name: string): Promise<string> {
  return new Promise((resolve) => {
    // An error means that there is no such name, or no getent.
    execFile('getent', [database, name], { timeout: 5_000 }, (_error, stdout) => {
      resolve(stdout);
    });
  });
}
