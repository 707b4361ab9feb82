/**
 * Loaded by Node.js ahead of the application (`--require`): runs boot.cjs (for a program without an address: heartbeat.cjs), which lies beside it. Nearly the whole cost of a boot is compiling
 * that file, so its compiled code is read from a file that an earlier worker wrote, if the master names a place for it
 * (docs/adr/0002-bundles.md).
 */
import { env } from '../../shared/protocol.ts';

const { readFileSync } = process.getBuiltinModule('node:fs');

const file = `${__dirname}/${process.env[env.heartbeat] === undefined ? 'boot' : 'heartbeat'}.cjs`;

/** The path of the code cache; null if the master names no place. The name has the version and the flags in it, because V8 refuses code of others. */
function cachePath(): string | null {
  const folder = process.env[env.codeCache];
  if (folder === undefined) return null;
  let key = 0;
  for (const character of `${process.execArgv.join(' ')} ${process.env['NODE_OPTIONS'] ?? ''}`)
    key = (Math.imul(key, 31) + character.charCodeAt(0)) | 0;
  return `${folder}-${process.version}-${process.arch}-${key >>> 0}`;
}

function readCache(path: string | null): Buffer | undefined {
  if (path === null) return undefined;
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

const path = cachePath();
const cachedData = readCache(path);
const script = new (process.getBuiltinModule('node:vm').Script)(readFileSync(file, 'utf8'), {
  filename: file,
  ...(cachedData === undefined ? {} : { cachedData }),
});
const isKept = path === null || (cachedData !== undefined && script.cachedDataRejected === false);
// Proven dispatch: the file is one function (scripts/worker-bundles.js).
const boot = script.runInThisContext() as (
  load: NodeJS.Require,
  preload: string,
  folder: string,
  keepCode: (() => void) | null,
) => void;
boot(require, __filename, __dirname, isKept ? null : keepCode);

/** Stores the code for the next worker, including that of the functions that have run by now. If that fails, the next worker compiles. */
function keepCode(): void {
  if (path === null) return;
  try {
    const { writeFileSync, renameSync } = process.getBuiltinModule('node:fs');
    const temporary = `${path}.${process.pid}`;
    writeFileSync(temporary, script.createCachedData(), { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    // The directory is missing or belongs to another user: then workers compile.
  }
}
