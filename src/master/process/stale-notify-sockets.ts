/**
 * Removes sockets for sd_notify that a killed master has left behind. They are recognised by the kernel's answer to a connection: no process reads from
 * them.
 */
import { lstatSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { systemCode } from '../../shared/errors.ts';

/** The names that `newNotifyPath` gives. */
const ownName = /^notify-\d+-\d+$/;

/** Removes such sockets from a folder. Does not reject. */
export async function removeStaleNotifySockets(folder: string): Promise<void> {
  await Promise.all(
    namesIn(folder).map(async (name) => {
      const path = join(folder, name);
      const before = inodeOf(path);
      // Another socket may have been made at the same path.
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

/** Whether no process reads from the socket. One that is read from answers EPROTOTYPE, because it takes datagrams. */
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
