/** Where the preload for Node.js workers lies: beside the master's own code, found through the package's own name. */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Without symlinks: the preload knows itself by this path and takes it out of its descendants' NODE_OPTIONS. */
export function preloadPath(): string {
  const root = dirname(createRequire(import.meta.url).resolve('graceful-run/package.json'));
  return realpathSync(join(root, 'dist', 'worker', 'preload.cjs'));
}
