/**
 * The file that stands for a program, which is what `--watch` without a path watches: the script of an interpreter, the entry of a
 * package, else the executable. Symlinks are not resolved: `current/app.js` has to stay that.
 */
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { realpathSync } from 'node:fs';
import { GracefulRunError } from '../../shared/errors.ts';
import { interpreterNamed, scriptAmong } from './interpreters.ts';
import { type PackageCommand, packageCommand, unwrapCommand } from './package-commands.ts';
import { completeFile, isFile, nearestPackage, type Package } from './packages.ts';
import { resolveCommand, type Surroundings } from './resolve-command.ts';
import { lastCommand } from './split-words.ts';

/** How many scripts that call each other are followed, so that a circle comes to an end. */
const maxScripts = 10;

/**
 * The absolute path of the program's own file. Throws `notWatchable` if there is none (code on the command line, the name of a module), and what
 * resolveCommand throws if the executable is needed and not found.
 */
export function programFile(command: readonly string[], surroundings: Surroundings): string {
  return fileOf(command, surroundings, maxScripts);
}

function fileOf(command: readonly string[], surroundings: Surroundings, scriptsLeft: number): string {
  const [name, ...args] = unwrapCommand(command);
  if (name === undefined) throw notWatchable(command, 'it contains no program');
  const called = packageCommand(basename(name), args);
  if (called !== null) return packageFile(called, command, surroundings, scriptsLeft);
  const interpreter = interpreterNamed(basename(name));
  if (interpreter !== null) return scriptFile(args, interpreter, command, surroundings);
  const { file } = resolveCommand([name], surroundings);
  // Node.js may have another name, such as /opt/app/runtime -> /usr/bin/node.
  const real = interpreterNamed(basename(realpathSync(file)));
  return real?.readsPackage === true ? scriptFile(args, real, command, surroundings) : file;
}

function scriptFile(
  args: readonly string[],
  interpreter: NonNullable<ReturnType<typeof interpreterNamed>>,
  command: readonly string[],
  { cwd }: Surroundings,
): string {
  const script = scriptAmong(args, interpreter);
  if (script === null) throw notWatchable(command, 'it runs no script file');
  const path = resolve(cwd, script);
  const file = completeFile(path, interpreter);
  if (file !== null) return file;
  const later = args.slice(args.indexOf(script) + 1);
  const isCertain =
    // The word may be the name of a package's script (`bun run start`), of a command (`ruby -S puma`) or of a file in PATH (`bash start.sh`).
    (interpreter.isShell ? script.includes('/') : /[./]/.test(script)) &&
    // The script may be in another folder: `env -C web node app.js`.
    !command.slice(0, command.indexOf(script)).some((word) => /^(-C|--chdir)/.test(word)) &&
    // The word may be the value of an option that is not known here: then the script is a later word.
    later.every((word) => completeFile(resolve(cwd, word), interpreter) === null);
  throw notWatchable(
    command,
    `there is no file ${path}`,
    isCertain ? { path, isRelative: !isAbsolute(script) } : null,
  );
}

function packageFile(
  called: PackageCommand,
  command: readonly string[],
  surroundings: Surroundings,
  scriptsLeft: number,
): string {
  const folder = called.folder === null ? surroundings.cwd : resolve(surroundings.cwd, called.folder);
  const owner = nearestPackage(folder);
  if (called.kind === 'command')
    return commandFile(called.words, owner, { ...surroundings, cwd: folder }, scriptsLeft);
  if (owner === null) {
    const file = join(folder, 'package.json');
    const isCertain = called.orCommand === null && !isFile(file);
    const isRelative = called.folder === null || !isAbsolute(called.folder);
    throw notWatchable(
      command,
      `there is no package.json in ${folder} or above it`,
      isCertain ? { path: file, isRelative } : null,
    );
  }
  const script = owner.scripts.get(called.name);
  if (script === undefined && called.orCommand !== null) {
    return commandFile(called.orCommand, owner, { ...surroundings, cwd: folder }, scriptsLeft);
  }
  // `npm start` runs server.js if there is no start script.
  const standIn = join(owner.folder, 'server.js');
  if (script === undefined && called.name === 'start' && isFile(standIn)) return standIn;
  const inPackage = { ...surroundings, cwd: owner.folder };
  const words = unwrapCommand(script === undefined ? [] : lastCommand(script));
  const file = scriptsLeft > 0 ? scriptOfLine(words, inPackage, scriptsLeft - 1) : null;
  const entry = file ?? entryOf(owner);
  if (entry === null)
    throw notWatchable(command, `${join(owner.folder, 'package.json')} does not say which file it starts`);
  return entry;
}

/** The file of a script in package.json, if the line is an interpreter with a script or leads to one. Null if it is the command of a tool. */
function scriptOfLine(
  words: readonly string[],
  surroundings: Surroundings,
  scriptsLeft: number,
): string | null {
  const [name, ...args] = words;
  if (name === undefined) return null;
  const isCalled = packageCommand(basename(name), args) !== null || interpreterNamed(basename(name)) !== null;
  return isCalled ? orNull(() => fileOf(words, surroundings, scriptsLeft)) : null;
}

/** The file of `npx X`: if X is an interpreter, its script; otherwise the command X of this package, or of one that is installed for it. */
function commandFile(
  words: readonly string[],
  owner: Package | null,
  surroundings: Surroundings,
  scriptsLeft: number,
): string {
  const [name = ''] = words;
  if (interpreterNamed(name) !== null) return fileOf(words, surroundings, scriptsLeft);
  const own = owner?.commands.get(name);
  if (owner !== null && own !== undefined) return resolve(owner.folder, own);
  for (let at = surroundings.cwd; ; at = dirname(at)) {
    const file = join(at, 'node_modules', '.bin', name);
    if (isFile(file)) return file;
    if (at === dirname(at)) return fileOf(words, surroundings, 0);
  }
}

/** The main file of the package, or else its index.js or server.js. Null if there is none. */
function entryOf({ folder, main }: Package): string | null {
  const completion = {
    suffixes: ['.js', '.json', '.node'],
    directoryFiles: ['index.js', 'server.js'],
    readsPackage: true,
  };
  const named = main === null ? null : completeFile(resolve(folder, main), completion);
  return named ?? completeFile(folder, completion);
}

function orNull(find: () => string): string | null {
  try {
    return find();
  } catch (error) {
    if (error instanceof GracefulRunError) return null;
    throw error;
  }
}

/** A file without which the program cannot start. */
interface MissingFile {
  readonly path: string;
  /** Whether the command gives no absolute path for it, so that it is looked for from the working directory. */
  readonly isRelative: boolean;
}

/** The file that is missing, from an error of programFile. Null if the error is about something else. */
export function missingFileOf(error: Error): MissingFile | null {
  return error.cause instanceof MissingFileError ? error.cause.missing : null;
}

class MissingFileError extends Error {
  readonly missing: MissingFile;

  constructor(missing: MissingFile) {
    super(`there is no file ${missing.path}`);
    this.missing = missing;
  }
}

function notWatchable(
  command: readonly string[],
  reason: string,
  missing: MissingFile | null = null,
): GracefulRunError {
  return new GracefulRunError(
    'notWatchable',
    `cannot tell which file \`${command.join(' ')}\` is: ${reason}`,
    {
      hint: 'name what to watch: watch = ["path"] (--watch path)',
      ...(missing === null ? {} : { cause: new MissingFileError(missing) }),
    },
  );
}
