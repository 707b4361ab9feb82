/** Reads the file of environment variables that a program is started with, anew at every spawn. */
import { readFileSync } from 'node:fs';
import { GracefulRunError, systemCode } from '../../shared/errors.ts';

/**
 * The variables of an env file, in the format of Node's own --env-file (`NAME=value`, `#` comments, quotes).
 * Throws `envFileUnreadable`. Lines that set nothing are skipped, as Node does.
 */
export function readEnvFile(path: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = systemCode(cause) ?? 'unknown error';
    throw new GracefulRunError('envFileUnreadable', `cannot read the environment file ${path}: ${code}`, {
      hint: hintFor(code),
      cause,
    });
  }
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.getBuiltinModule('node:util').parseEnv(text))) {
    if (value !== undefined) variables[name] = value;
  }
  return variables;
}

function hintFor(code: string): string {
  if (code === 'EACCES') return 'let the user that runs graceful-run read it';
  if (code === 'EISDIR') return 'name a file, not a directory';
  return 'it must be there at every start and reload; a relative path starts at the directory in which graceful-run was started';
}
