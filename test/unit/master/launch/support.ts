/** A temporary folder with files, for tests of what looks at the file system. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { GracefulRunError } from '../../../../src/shared/errors.ts';

/** Makes the files (path -> content; a path that ends in `*` becomes executable) and returns the folder. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'graceful-program-')));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name.replace(/\*$/, ''));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, name.endsWith('*') ? 0o755 : 0o644);
  }
  return root;
}

/** The error that `act` throws; fails when it throws none, or another kind. */
export function errorOf(act: () => unknown): GracefulRunError {
  try {
    act();
  } catch (error) {
    if (error instanceof GracefulRunError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
