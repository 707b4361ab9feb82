/**
 * Keeps the files of the UNIX sockets that the master holds. Many programs remove the file of their socket before they listen, because without
 * a master a stale one is in the way: here it is the one that clients connect to. A bundle of its own (bundle.ts).
 */
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withRealFolder } from './real-folder.ts';

/** Keeps files of UNIX sockets: if this process removes one, it is told that this succeeded, and the file stays. `paths` are absolute. */
export function keepFiles(paths: readonly string[]): void {
  const fs = process.getBuiltinModule('node:fs');
  const isKept = (written: unknown): boolean => {
    const path = readPath(written);
    return path !== null && paths.some((kept) => kept === path || isSame(kept, path));
  };
  for (const name of ['unlinkSync', 'rmSync'] as const)
    replace(fs, name, (original, args) => (isKept(args[0]) ? undefined : original()));
  for (const name of ['unlink', 'rm'] as const) {
    replace(fs, name, (original, args) => {
      const callback = args.at(-1);
      if (!isKept(args[0]) || typeof callback !== 'function') return original();
      process.nextTick(() => {
        Reflect.apply(callback, undefined, [null]);
      });
      return undefined;
    });
    replace(fs.promises, name, (original, args) => (isKept(args[0]) ? Promise.resolve() : original()));
  }
  // Needed for `import { unlink } from 'node:fs'`.
  process.getBuiltinModule('node:module').syncBuiltinESMExports();
}

function readPath(written: unknown): string | null {
  if (written instanceof URL) return written.protocol === 'file:' ? fileURLToPath(written) : null;
  return typeof written === 'string' || Buffer.isBuffer(written) ? resolve(String(written)) : null;
}

function isSame(kept: string, path: string): boolean {
  return basename(kept) === basename(path) && withRealFolder(kept) === withRealFolder(path);
}

/** Replaces a method. `replacement` gets the call of the original, and its arguments. */
function replace<Name extends string>(
  owner: object & Partial<Record<Name, unknown>>,
  name: Name,
  replacement: (original: () => unknown, args: readonly unknown[]) => unknown,
): void {
  const original: unknown = owner[name];
  if (typeof original !== 'function') return;
  const replaced = (...args: readonly unknown[]): unknown =>
    replacement(() => Reflect.apply(original, owner, args) as unknown, args);
  Reflect.set(owner, name, Object.assign(replaced, original));
}
