/**
 * Finds the executable that a command means, as execvp(3) would in the worker: again at every spawn, because symlinks and PATH may change
 * between releases.
 */
import { accessSync, constants, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { GracefulRunError, systemCode } from '../../shared/errors.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';
import { interpreterMissing, notExecutable, notFound, outOfReach } from './command-errors.ts';
import { headOf } from './file-head.ts';
import { interpreterOf, parseShebang } from './shebang.ts';

export interface Surroundings {
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
}

export interface ResolvedCommand {
  /** Absolute path of the executable as it was found, with symlinks not resolved. */
  readonly file: string;
  readonly args: readonly string[];
  /** Whether it is Node.js, or a script that Node.js runs. */
  readonly isNode: boolean;
  /** Whether the executable itself is Node.js, so that its arguments are those of Node.js. */
  readonly isNodeBinary: boolean;
}

/** The folders in which execvp(3) looks if PATH is not set. */
const defaultPath = '/bin:/usr/bin';

/**
 * Looks up the executable and arguments of `command`, with the given working directory and PATH.
 * Throws `commandMissing`, `cwdMissing`, `commandNotFound` (exit code 127) or `commandNotExecutable` (126).
 */
export function resolveCommand(command: readonly string[], surroundings: Surroundings): ResolvedCommand {
  const [name, ...args] = command;
  if (name === undefined || name === '') {
    throw new GracefulRunError('commandMissing', 'cannot start: no command was given', {
      hint: 'give command, or put it after two dashes: graceful-run -- node app.js',
    });
  }
  requireDirectory(surroundings.cwd);
  const file = findExecutable(name, surroundings);
  const isNodeBinary = isBinary(file);
  return { file, args, isNode: isNodeBinary || isNodeScript(file, surroundings), isNodeBinary };
}

function requireDirectory(cwd: string): void {
  try {
    if (statSync(cwd).isDirectory()) return;
  } catch (cause) {
    throw new GracefulRunError(
      'cwdMissing',
      `cannot use ${cwd} as working directory: ${reasonOf(cause, cwd)}`,
      {
        hint: 'it must exist, and this user must be able to enter it, at every start and reload: check whether a release was removed',
        cause,
      },
    );
  }
  throw new GracefulRunError('cwdMissing', `cannot use ${cwd} as working directory: it is not a directory`, {
    hint: 'set directory (--cwd) to the directory of the program',
  });
}

function reasonOf(cause: unknown, cwd: string): string {
  const code = systemCode(cause) ?? 'unknown error';
  if (code !== 'ENOENT') return plainReason(code);
  const target = targetOf(cwd);
  return target === null ? 'there is no such directory' : `it is a link to ${target}, which does not exist`;
}

/** The target of a symbolic link; null if the path is not one. */
function targetOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** Searches as execvp(3) does: a file that cannot be executed is remembered for the error, and the search continues. */
function findExecutable(name: string, surroundings: Surroundings): string {
  let refusal: GracefulRunError | null = null;
  for (const file of candidates(name, surroundings)) {
    switch (permissionOf(file)) {
      case 'executable':
        return file;
      case 'refused':
        refusal ??= notExecutable(file, name);
        break;
      case 'unreachable':
        refusal ??= outOfReach(file, name);
        break;
      case 'absent':
        break;
    }
  }
  throw refusal ?? notFound(name, surroundings);
}

/** The executable with this name in the absolute folders of `path`; null if there is none. */
export function findInPath(name: string, path: string): string | null {
  const folders = path.split(':').filter((folder) => folder.startsWith('/'));
  return (
    folders.map((folder) => `${folder}/${name}`).find((file) => permissionOf(file) === 'executable') ?? null
  );
}

function candidates(name: string, { cwd, environment }: Surroundings): readonly string[] {
  if (name.includes('/')) return [resolve(cwd, name)];
  // An empty element of PATH means the working directory.
  return (environment['PATH'] ?? defaultPath).split(':').map((folder) => resolve(cwd, folder, name));
}

/** `unreachable`: a directory above the file may not be entered, so that nothing is known of the file. */
function permissionOf(file: string): 'executable' | 'refused' | 'unreachable' | 'absent' {
  try {
    if (!statSync(file).isFile()) return 'refused';
  } catch (error) {
    return systemCode(error) === 'EACCES' ? 'unreachable' : 'absent';
  }
  try {
    accessSync(file, constants.X_OK);
    return 'executable';
  } catch (error) {
    return systemCode(error) === 'EACCES' ? 'refused' : 'absent';
  }
}

const nodeNames: ReadonlySet<string> = new Set(['node', 'nodejs']);
/** The names of Node.js, and of launchers that become Node.js in the end. A script may name any of them in its first line. */
const nodeLaunchers: ReadonlySet<string> = new Set([...nodeNames, 'tsx', 'ts-node']);

function isBinary(file: string): boolean {
  if (nodeNames.has(basename(file))) return true;
  const real = realpathOf(file);
  return nodeNames.has(basename(real)) || real === realpathOf(process.execPath);
}

function isNodeScript(file: string, { cwd }: Surroundings): boolean {
  const head = headOf(realpathOf(file));
  const shebang = parseShebang(head);
  if (shebang === null) return false;
  const isWindowsText = `${shebang.file}${shebang.argument}`.endsWith('\r');
  if (isWindowsText || permissionOf(resolve(cwd, shebang.file)) === 'absent') {
    throw interpreterMissing(file, `${shebang.file} ${shebang.argument}`.trimEnd(), isWindowsText);
  }
  return nodeLaunchers.has(interpreterOf(shebang)) || isNodeShim(head);
}

/** The path with symlinks resolved, or the path itself if that fails: the master's own binary may have been replaced or removed since it started. */
function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Whether the file is a shell script that npm or pnpm has written into node_modules/.bin, if they cannot make symlinks: it ends with `exec node …`. */
function isNodeShim(head: string): boolean {
  return head.includes('basedir=') && /^\s*exec (node|"\$basedir\/node") /m.test(head);
}
