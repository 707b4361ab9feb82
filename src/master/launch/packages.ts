/** Reads package.json files and finds files the way Node.js does. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export interface Package {
  readonly folder: string;
  readonly main: string | null;
  readonly scripts: ReadonlyMap<string, string>;
  /** The file of each command that the package itself provides, by the command's name. */
  readonly commands: ReadonlyMap<string, string>;
}

/** The package that a folder belongs to: the nearest package.json in the folder or above it. Null if there is none. */
export function nearestPackage(folder: string): Package | null {
  for (let at = folder; ; at = dirname(at)) {
    const found = packageIn(at);
    if (found !== null || at === dirname(at)) return found;
  }
}

/** The package.json of a folder, or null if there is none that can be read. */
export function packageIn(folder: string): Package | null {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return null;
  }
  const main = field(content, 'main');
  const bin = field(content, 'bin');
  const name = field(content, 'name');
  const single: [string, string][] =
    typeof bin === 'string' && typeof name === 'string' ? [[name.replace(/^.*\//, ''), bin]] : [];
  return {
    folder,
    main: typeof main === 'string' && main !== '' ? main : null,
    scripts: texts(field(content, 'scripts')),
    commands: new Map([...texts(bin), ...single]),
  };
}

/** How a kind of program completes the name of a file. */
export interface Completion {
  readonly suffixes: readonly string[];
  readonly directoryFiles: readonly string[];
  readonly readsPackage: boolean;
}

/** The file that `path` stands for: itself, with a suffix or, for a directory, the main file of its package or its index. Null if there is none. */
export function completeFile(path: string, completion: Completion): string | null {
  const file = withSuffix(path, completion);
  if (file !== null || !isDirectory(path)) return file;
  const main = completion.readsPackage ? packageIn(path)?.main : null;
  if (main !== null && main !== undefined) {
    const target = resolve(path, main);
    const found = withSuffix(target, completion) ?? indexOf(target, completion);
    if (found !== null) return found;
  }
  return indexOf(path, completion);
}

function withSuffix(path: string, { suffixes }: Completion): string | null {
  return ['', ...suffixes].map((suffix) => path + suffix).find(isFile) ?? null;
}

function indexOf(directory: string, { directoryFiles }: Completion): string | null {
  return directoryFiles.map((name) => join(directory, name)).find(isFile) ?? null;
}

export function isFile(path: string): boolean {
  return statOf(path)?.isFile() === true;
}

export function isDirectory(path: string): boolean {
  return statOf(path)?.isDirectory() === true;
}

function statOf(path: string): ReturnType<typeof statSync> | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function texts(value: unknown): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, text] of Object.entries(value)) if (typeof text === 'string') found.set(key, text);
  return found;
}
