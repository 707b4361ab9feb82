/** graceful-run, the applications of the tests and Node.js where every user of the machine can read them: a checkout may be in the home of root. */
import { cpSync, chmodSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;

export interface Installed {
  readonly folder: string;
  readonly executable: string;
  readonly node: string;
  readonly appPath: (file: string) => string;
  readonly remove: () => void;
}

export function installForAll(): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'gr-all-'));
  chmodSync(folder, 0o755);
  for (const part of ['bin', 'dist', 'package.json'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  cpSync(join(root, 'test/fixtures/apps'), join(folder, 'apps'), { recursive: true });
  // Only the master needs them.
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    executable: join(folder, 'bin/graceful-run.cjs'),
    node: nodeForAll(folder),
    appPath: (file) => join(folder, 'apps', file),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function nodeForAll(folder: string): string {
  const isOpen = (path: string): boolean =>
    (statSync(path).mode & 0o5) === 0o5 && (path === '/' || isOpen(dirname(path)));
  if (isOpen(process.execPath)) return process.execPath;
  const copy = join(folder, 'node');
  cpSync(process.execPath, copy);
  return copy;
}
