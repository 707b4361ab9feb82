/**
 * Removes the sockets for sd_notify that a master has left behind that was killed. The kernel tells which they are: no process reads from them.
 */
import { lstatSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { systemCode } from '../../shared/errors.ts';

/** Of `newNotifyPath`. */
const ownName = /^notify-\d+-\d+$/;

/** Does not reject. */
export async function removeStaleNotifySockets(folder: string): Promise<void> {
  await Promise.all(
    namesIn(folder).map(async (name) => {
      const path = join(folder, name);
      const before = inodeOf(path);
      // Another one may have been made in its place.
      if ((await isRefused(path)) && inodeOf(path) === before) rmSync(path, { force: true });
    }),
  ).catch(() => undefined);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => ownName.test(name));
  } catch {
    return [];
  }
}

function inodeOf(path: string): number | null {
  return lstatSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

/** A socket that is read from answers EPROTOTYPE, because it takes datagrams. */
async function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error) => {
      resolve(systemCode(error) === 'ECONNREFUSED');
    });
  });
}
