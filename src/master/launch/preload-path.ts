/** Finds the preload for Node.js workers: it is beside the master's own code, and is found through the name of the package. */
import { realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { version } from '../../shared/version.ts';

/** The path of the preload, with symlinks resolved: the preload removes this very path from the NODE_OPTIONS of its descendants. */
export function preloadPath(): string {
  const root = dirname(createRequire(import.meta.url).resolve('graceful-run/package.json'));
  return realpathSync(join(root, 'dist', 'worker', 'preload.cjs'));
}

/** The path of a file of the master that is built beside the preload. */
export function masterFile(preload: string, name: 'trampoline.cjs' | 'after-master.sh'): string {
  return join(dirname(preload), '..', 'master', name);
}

/**
 * The beginning of the path at which workers keep the compiled code of their boot: in the folder of the control socket, which only this user can open.
 * Determined at every start, because an update of the package replaces the code. Null if there is no folder.
 */
export function codeCachePath(preload: string, folder: string | null): string | null {
  if (folder === null) return null;
  try {
    const { size, mtimeMs } = statSync(join(dirname(preload), 'boot.cjs'));
    return join(folder, `boot-${version}-${size}-${Math.round(mtimeMs)}`);
  } catch {
    // The worker itself will report what is wrong with the package.
    return null;
  }
}
