/** Reads the file of environment variables that a program is started with, anew at every spawn. */
import { readFileSync } from 'node:fs';
import { GracefulRunError, systemCode } from '../../shared/errors.ts';

/**
 * The variables of an env file, in the format of Node's own --env-file (`NAME=value`, `#` comments, quotes).
 * Throws `envFileUnreadable`, also for a line that sets nothing.
 */
export function readEnvFile(path: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = systemCode(cause) ?? 'unknown error';
    throw new GracefulRunError(
      'envFileUnreadable',
      `cannot read the environment file ${path}: ${code === 'ENOENT' ? 'there is no such file' : code}`,
      {
        hint: hintFor(code),
        cause,
      },
    );
  }
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.getBuiltinModule('node:util').parseEnv(text))) {
    if (/\s/.test(name)) throw notALine(path, name);
    if (value !== undefined) variables[name] = value;
  }
  return variables;
}

/** Node.js takes a line without `=` for the beginning of the next one's name, and that variable would be missing. */
function notALine(path: string, name: string): GracefulRunError {
  const [line = ''] = name.split('\n');
  return new GracefulRunError(
    'envFileUnreadable',
    `cannot read the environment file ${path}: ${JSON.stringify(line)} sets nothing`,
    { hint: 'a line is NAME=value, or a comment that begins with #; a value of several lines needs quotes' },
  );
}

function hintFor(code: string): string {
  if (code === 'EACCES') return 'let the user that runs graceful-run read it';
  if (code === 'EISDIR') return 'name a file, not a directory';
  return 'it must be there at every start and reload; a relative path starts at the directory in which graceful-run was started';
}
