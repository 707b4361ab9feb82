/**
 * `node --run NAME` runs a script of package.json in a shell. Node.js closes all descriptors but 0 to 2 in that shell, and the listener with them. So the
 * worker is started as that shell right away, with the directory and environment that Node.js would give it.
 */
import { dirname, join } from 'node:path';
import { isDirectory, nearestPackage } from './packages.ts';
import { packageCommand } from './package-commands.ts';
import type { ResolvedCommand, Surroundings } from './resolve-command.ts';

export interface PackageScript {
  readonly file: string;
  readonly args: readonly string[];
  /** The folder of the package.json. */
  readonly cwd: string;
  /** The variables that Node.js sets for the script. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Finds the script that `command` runs. Null if `command` is not `node --run`, or there is no such script: Node.js itself explains that best. */
export function nodeRun(
  { isNodeBinary, args }: Pick<ResolvedCommand, 'isNodeBinary' | 'args'>,
  { cwd, environment }: Surroundings,
): PackageScript | null {
  const called = isNodeBinary ? packageCommand('node', args) : null;
  if (called?.kind !== 'script') return null;
  const owner = nearestPackage(cwd);
  const script = owner?.scripts.get(called.name);
  if (owner === null || script === undefined) return null;
  const dashes = args.indexOf('--');
  const more = dashes === -1 ? [] : args.slice(dashes + 1);
  const folders = binFolders(owner.folder);
  return {
    file: '/bin/sh',
    args: ['-c', [script, ...more.map(quote)].join(' ')],
    cwd: owner.folder,
    variables: {
      PWD: owner.folder,
      PATH: [...folders, ...(environment['PATH'] === undefined ? [] : [environment['PATH']])].join(':'),
      NODE_RUN_SCRIPT_NAME: called.name,
      NODE_RUN_PACKAGE_JSON_PATH: join(owner.folder, 'package.json'),
    },
  };
}

/** The folders node_modules/.bin from this folder upwards, the nearest first. */
function binFolders(folder: string): readonly string[] {
  const own = join(folder, 'node_modules', '.bin');
  const found = isDirectory(own) ? [own] : [];
  return folder === dirname(folder) ? found : [...found, ...binFolders(dirname(folder))];
}

function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
