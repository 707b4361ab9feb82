/** Why a command cannot be started, with a hint that says what to do. */
import { basename, extname, isAbsolute, join } from 'node:path';
import { GracefulRunError } from '../../shared/errors.ts';
import { isDirectory, isFile } from './packages.ts';

/** The error for a name that was not found; the caller exits with 127. */
export function notFound(
  name: string,
  where: { readonly cwd: string; readonly environment: NodeJS.ProcessEnv },
): GracefulRunError {
  const place = name.includes('/') ? 'no such file' : 'it is not in any directory of PATH';
  return new GracefulRunError('commandNotFound', `cannot run ${name}: ${place}`, {
    hint: hintForNotFound(name, where),
  });
}

function hintForNotFound(
  name: string,
  where: { readonly cwd: string; readonly environment: NodeJS.ProcessEnv },
): string {
  if (/\s/.test(name) && !isFile(join(where.cwd, name))) {
    const words = name.trim().split(/\s+/);
    return `the command and its arguments are separate words, without quotes around them all: -- ${words.join(' ')}; in a config file: command = [${words.map((word) => JSON.stringify(word)).join(', ')}]`;
  }
  if (name.includes('/')) return hintForMissingFile(!isAbsolute(name), where.cwd);
  const local = join(where.cwd, name);
  if (isFile(local)) return `did you mean \`${runLine(local, name) ?? `./${name}`}\`?`;
  if (isFile(join(where.cwd, 'node_modules', '.bin', name)))
    return `did you mean \`npx ${name}\` or \`node_modules/.bin/${name}\`?`;
  const path = where.environment['PATH'];
  if (path === undefined || path === '')
    return 'PATH is not set for the program: name the executable with its full path';
  // The value of PATH is not shown: it may contain a secret.
  return `give its full path (\`command -v ${name}\` in your shell prints it), or add its directory to the PATH of graceful-run: systemd and cron set a short one`;
}

/** The hint for a file that does not exist. `isRelative`: whether its path starts at the working directory. */
export function hintForMissingFile(isRelative: boolean, cwd: string): string {
  return isRelative
    ? `relative paths start at the working directory, ${cwd}`
    : 'check the spelling, and whether a release was removed';
}

/** The error for a file behind a directory that this user may not enter; the caller exits with 126. `name`: the name of the file in the command. */
export function outOfReach(file: string, name: string): GracefulRunError {
  return new GracefulRunError(
    'commandNotExecutable',
    `cannot run ${name}: this user has no access to ${file}`,
    { hint: `show where the permission is missing: namei -l ${file}` },
  );
}

/** The error for a file that may not be executed; the caller exits with 126. `name`: the name of the file in the command. */
export function notExecutable(file: string, name: string): GracefulRunError {
  if (isDirectory(file)) {
    return new GracefulRunError('commandNotExecutable', `cannot run ${name}: it is a directory`, {
      hint: isFile(join(file, 'package.json'))
        ? `did you mean \`node ${name}\`?`
        : 'name the program inside it',
    });
  }
  const run = runLine(file, name);
  return new GracefulRunError('commandNotExecutable', `cannot run ${name}: ${file} is not executable`, {
    hint:
      run === null
        ? `make it executable: chmod +x ${file}`
        : `did you mean \`${run}\`? (or make it executable: chmod +x ${file})`,
  });
}

/** The error for a script whose interpreter does not exist. The kernel would report ENOENT, as if the script itself were missing. */
export function interpreterMissing(
  file: string,
  interpreter: string,
  isWindowsText: boolean,
): GracefulRunError {
  return new GracefulRunError(
    'commandNotExecutable',
    `cannot run ${file}: its first line names \`${interpreter}\`, which does not exist`,
    {
      hint: isWindowsText
        ? `the file has Windows line endings: convert it (sed -i "s/\\r$//" ${file})`
        : 'install that interpreter, or correct the line',
    },
  );
}

const runners: Readonly<Record<string, string>> = {
  '.js': 'node',
  '.mjs': 'node',
  '.cjs': 'node',
  '.ts': 'node --import tsx',
  '.mts': 'node --import tsx',
  '.py': 'python3',
  '.rb': 'ruby',
  '.pl': 'perl',
  '.php': 'php',
  '.sh': 'sh',
};

/** The usual command to start a script with the ending of this file; null if the ending is not known. */
function runLine(file: string, name: string): string | null {
  const runner = runners[extname(basename(file))];
  return runner === undefined ? null : `${runner} ${name}`;
}
