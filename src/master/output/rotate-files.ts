/** Makes room for a log file that is full: `app.log` becomes `app.log.1`, that becomes `app.log.2`, and so on. Backups may be compressed. */
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** The ending of a compressed backup after its number, and the ending while it is written. */
export const compressedEnding = '.gz';
const unfinishedEnding = '.gz.tmp';

export function backupPath(path: string, number: number): string {
  return `${path}.${number}`;
}

/**
 * Moves the file to `path.1`, and each backup to the next number. A backup that would get number `backups` + 1 is removed; with 0 backups, the file itself
 * is removed. It begins with the highest number, so that a crash in between loses nothing. Throws the error of the system.
 */
export async function shiftBackups(path: string, backups: number): Promise<void> {
  const folder = dirname(path);
  const names = new Set(await readdir(folder));
  const isThere = (file: string): boolean => names.has(basename(file));
  const kinds = (number: number): readonly string[] =>
    ['', compressedEnding].map((ending) => backupPath(path, number) + ending).filter(isThere);
  // There are backups with higher numbers if `backups` was reduced.
  for (let number = Math.max(backups, 1); kinds(number).length > 0; number += 1)
    if (number > backups || isFilled(number - 1)) for (const file of kinds(number)) await unlink(file);
  // Backups are moved up to the first number that is free.
  let last = 0;
  while (last + 1 < backups && kinds(last + 1).length > 0) last += 1;
  for (let number = last; number >= 1; number -= 1) await moveBackup(number);
  if (backups === 0) await unlink(path);
  else await rename(path, backupPath(path, 1));

  function isFilled(upTo: number): boolean {
    for (let number = 1; number <= upTo; number += 1) if (kinds(number).length === 0) return false;
    return true;
  }

  async function moveBackup(number: number): Promise<void> {
    const [from, to] = [backupPath(path, number), backupPath(path, number + 1)];
    const isCompressed = isThere(from + compressedEnding);
    if (isCompressed) await rename(from + compressedEnding, to + compressedEnding);
    if (!isThere(from)) return;
    // There are both forms of a backup if the master was killed after it had compressed one, and before it removed the original.
    if (isCompressed) await unlink(from);
    else await rename(from, to);
  }
}

/** Replaces the newest backup by a compressed one. The original is removed only when that is complete. Throws the error of the system. */
export async function compressNewest(path: string): Promise<void> {
  const from = backupPath(path, 1);
  const unfinished = from + unfinishedEnding;
  try {
    const { mode } = await stat(from);
    await pipeline(
      createReadStream(from),
      createGzip(),
      createWriteStream(unfinished, { mode: mode & 0o777, flush: true }),
    );
    await rename(unfinished, from + compressedEnding);
    await unlink(from);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
