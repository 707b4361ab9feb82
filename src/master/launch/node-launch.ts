/**
 * How a worker gets the preload: by NODE_OPTIONS, which every Node.js below the worker inherits; on the command line, where the program
 * reads NODE_OPTIONS from a file; through a `node` ahead in PATH, where a shell may set NODE_OPTIONS. Pure. ADR 13 says why.
 */
import { basename } from 'node:path';
import { preloadArguments, withPreload } from '../../shared/node-options.ts';
import { interpreterNamed, scriptAmong } from './interpreters.ts';

export interface NodeLaunch {
  readonly args: readonly string[];
  /** The value of NODE_OPTIONS for the worker; undefined if it has none. */
  readonly nodeOptions: string | undefined;
  readonly path: string | undefined;
}

export interface NodeLaunchOptions {
  readonly command: {
    readonly file: string;
    readonly args: readonly string[];
    /** Whether the executable is Node.js itself, and not a script that Node.js runs. */
    readonly isNodeBinary: boolean;
    readonly isNode: boolean;
  };
  /** The variables that the worker would have without the preload. */
  readonly environment: Readonly<Record<string, string>>;
  readonly preload: string;
  /** The folder of the `node` that is put first in PATH, or null if there is none that can be run. */
  readonly shimFolder: string | null;
}

const envFile = /^--env-file(-if-exists)?(=|$)/;
const permission = /^--(experimental-)?permission$/;

export function launchNode({ command, environment, preload, shimFolder }: NodeLaunchOptions): NodeLaunch {
  const { NODE_OPTIONS: given, PATH: path } = environment;
  const switches = command.isNodeBinary ? switchesOf(command.args) : [];
  const needsPermission =
    switches.some((word) => permission.test(word)) ||
    (given ?? '').split(' ').some((word) => permission.test(word));
  // A NODE_OPTIONS that is set already takes precedence over the file, with or without the preload.
  if (switches.some((word) => envFile.test(word)) && (given === undefined || given === '')) {
    const args = [...preloadArguments(preload, needsPermission), ...command.args];
    return { args, nodeOptions: given, path };
  }
  return {
    args: command.args,
    nodeOptions: withPreload(given, preload, needsPermission),
    path: shimFolder !== null && mayStartNode(command, environment) ? ahead(shimFolder, path) : path,
  };
}

/** The words before the script. */
function switchesOf(args: readonly string[]): readonly string[] {
  const node = interpreterNamed('node');
  const script = node === null ? null : scriptAmong(args, node);
  return script === null ? args : args.slice(0, args.indexOf(script));
}

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Whether the command may be a shell, or may start one, that starts `node`. Interpreters of other languages are left alone, and so is an
 * environment with a name that a shell cannot hold: the `node` in PATH is a shell script, and would lose it.
 */
function mayStartNode(
  { file, isNode }: NodeLaunchOptions['command'],
  environment: Readonly<Record<string, string>>,
): boolean {
  if (isNode || !Object.keys(environment).every((name) => shellName.test(name))) return false;
  const interpreter = interpreterNamed(basename(file));
  return interpreter === null || interpreter.isShell;
}

function ahead(folder: string, path: string | undefined): string {
  const rest = (path ?? '/bin:/usr/bin').split(':').filter((other) => other !== folder);
  return [folder, ...rest].join(':');
}
