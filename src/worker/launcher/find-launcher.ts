/**
 * Finds out whether the main script is a package manager that starts the worker, or another command of a package. Every worker boots through
 * this file, so it looks at names before it reads anything.
 */
import { isRecord } from '../../shared/protocol.ts';

/** The package managers: their commands run the scripts of a project. */
const launchers: ReadonlySet<string> = new Set(['npm', 'yarn', '@yarnpkg/cli-dist', 'pnpm', 'corepack']);

/** The names of the package managers' main scripts, so that for most applications no file is read. */
const scriptNames = /\/(?:npm|npx|yarn|yarnpkg|pnpm|pnpx|corepack)\b[^/]*$/;

/** Each of those names contains one of these words. Looking for them first is quicker: an expression is compiled when it is first used. */
const partsOfNames = ['npm', 'npx', 'yarn', 'pnpx', 'corepack'];
const foldersOfPackages = ['/node_modules/', '/.yarn/', '/corepack/'];

// Not imported, because few workers need it.
const fs = () => process.getBuiltinModule('node:fs');
const path = () => process.getBuiltinModule('node:path');

/** The main script of a process. */
export interface MainScript {
  readonly path: string;
  /** The path without symbolic links; null if there is no such file. */
  readonly realPath: string | null;
}

/** `path`: process.argv[1]. Null if there is none. */
export function findMainScript(path: string | undefined): MainScript | null {
  if (path === undefined) return null;
  try {
    return { path, realPath: fs().realpathSync.native(path) };
  } catch {
    return { path, realPath: null };
  }
}

/** True for a script that belongs to a package and not to the project: `node_modules/.bin/concurrently`, a package manager. */
export function isCommandOfPackage(script: MainScript | null): boolean {
  if (script === null) return false;
  const { path: written, realPath } = script;
  return isInPackage(written) || (realPath !== null && realPath !== written && isInPackage(realPath));
}

function isInPackage(file: string): boolean {
  return foldersOfPackages.some((folder) => file.includes(folder)) || isNamedLikeLauncher(file);
}

function isNamedLikeLauncher(file: string): boolean {
  return partsOfNames.some((part) => file.includes(part)) && scriptNames.test(file);
}

/** The package manager whose main script this is, or null. */
export function findLauncher(script: MainScript | null): string | null {
  const file = script?.realPath ?? null;
  if (file === null || !isNamedLikeLauncher(file)) return null;
  // A release of yarn that is committed to the project has no package.json of its own.
  if (file.includes('/.yarn/releases/')) return 'yarn';
  const name = nearestPackageName(path().dirname(file));
  return name !== null && launchers.has(name) ? name : null;
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
