/** Where the preload for Node.js workers lies: beside the master's own code, found through the package's own name. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export function preloadPath(): string {
  const root = dirname(createRequire(import.meta.url).resolve('graceful-run/package.json'));
  return join(root, 'dist', 'worker', 'preload.cjs');
}
