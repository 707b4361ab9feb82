/**
 * Finds out whether the main script is a package manager that starts the worker, or another command of a package. Every worker boots through
 * this file, so it looks at names before it reads anything.
 */
import { isRecord } from '../../shared/protocol.ts';

/** The package managers: their commands run the scripts of a project. */
const launchers: ReadonlySet<string> = new Set(['npm', 'yarn', '@yarnpkg/cli-dist', 'pnpm', 'corepack']);

/** The names of the package managers' main scripts, so that for most applications no file is read. */
const scriptNames = /\/(?:npm|npx|yarn|yarnpkg|pnpm|pnpx|corepack)\b[^/]*$/;

// Not imported, because few workers need it.
const fs = () => process.getBuiltinModule('node:fs');
const path = () => process.getBuiltinModule('node:path');

/** True for a script that belongs to a package and not to the project: `node_modules/.bin/concurrently`, a package manager. */
export function isCommandOfPackage(script: string | undefined): boolean {
  if (script === undefined) return false;
  const isInside = (file: string): boolean =>
    /\/(node_modules|\.yarn|corepack)\//.test(file) || scriptNames.test(file);
  if (isInside(script)) return true;
  try {
    return isInside(fs().realpathSync.native(script));
  } catch {
    return false;
  }
}

/** The package manager whose main script this is, or null. */
export function findLauncher(script: string | undefined): string | null {
  if (script === undefined) return null;
  try {
    const file = fs().realpathSync.native(script);
    if (!scriptNames.test(file)) return null;
    // A release of yarn that is committed to the project has no package.json of its own.
    if (file.includes('/.yarn/releases/')) return 'yarn';
    const name = nearestPackageName(path().dirname(file));
    return name !== null && launchers.has(name) ? name : null;
  } catch {
    return null;
  }
}

function nearestPackageName(folder: string): string | null {
  const paths = path();
  for (let at = folder; ; at = paths.dirname(at)) {
    const name = packageName(paths.join(at, 'package.json'));
    if (name !== null) return name;
    if (at === paths.dirname(at)) return null;
  }
}

function packageName(file: string): string | null {
  try {
    const value: unknown = JSON.parse(fs().readFileSync(file, 'utf8'));
    return isRecord(value) && typeof value['name'] === 'string' ? value['name'] : null;
  } catch {
    return null;
  }
}
