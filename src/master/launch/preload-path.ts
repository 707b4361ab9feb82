/** Where the preload for Node.js workers lies: beside the master's own code, found through the package's own name. */
import { realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { version } from '../../shared/version.ts';

/** Without symlinks: the preload knows itself by this path and takes it out of its descendants' NODE_OPTIONS. */
export function preloadPath(): string {
  const root = dirname(createRequire(import.meta.url).resolve('graceful-run/package.json'));
  return realpathSync(join(root, 'dist', 'worker', 'preload.cjs'));
}

/** A file of the master's that is built beside the preload. */
export function masterFile(preload: string, name: 'trampoline.cjs' | 'after-master.sh'): string {
  return join(dirname(preload), '..', 'master', name);
}

/**
 * Where workers keep V8's code of their boot, as the beginning of a file's path: in the folder of the control socket, which only this user can
 * open. Looked up at every start, because an update of the package replaces that file. Null without a folder.
 */
export function codeCachePath(preload: string, folder: string | null): string | null {
  if (folder === null) return null;
  try {
    const { size, mtimeMs } = statSync(join(dirname(preload), 'boot.cjs'));
    return join(folder, `boot-${version}-${size}-${Math.round(mtimeMs)}`);
  } catch {
    // The worker will say what is wrong with the package.
    return null;
  }
}
