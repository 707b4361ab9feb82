/**
 * Reads the file of environment variables of a program, again at every start. The form of a line is checked here; what a value means is left to the parser
 * of Node.js.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { GracefulRunError, systemCode } from '../../shared/errors.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';

/**
 * The variables of an env file, in the format of Node's own --env-file (`NAME=value`, `#` comments, quotes).
 * Throws `envFileUnreadable`, also for a line that is not NAME=value: ignoring it would leave a variable out without notice.
 */
export function readEnvFile(path: string): Record<string, string> {
  let text: string;
  try {
    text = readRegularFile(path);
  } catch (cause) {
    const code = systemCode(cause) ?? 'unknown error';
    throw new GracefulRunError(
      'envFileUnreadable',
      `cannot read the environment file ${path}: ${reasons[code] ?? plainReason(code)}`,
      {
        hint: hintFor(code),
        cause,
      },
    );
  }
  const variables = assignmentsOf(text, path).map(({ name, text: written }): [string, string] => {
    // Node.js parses the values, one at a time: it takes a line that it cannot read for a part of the next one. The name is replaced, because its parser
    // loses a variable called `__proto__`.
    const { VALUE = '' } = process.getBuiltinModule('node:util').parseEnv(`VALUE=${written}\n`);
    return [name, VALUE];
  });
  // Object.fromEntries() instead of assignments, because a variable may be called `__proto__`.
  return Object.fromEntries(variables);
}

/** Reads the file. A pipe is refused: opening it would block the master until there is a writer (fifo(7)). */
function readRegularFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() && !stats.isDirectory())
      throw Object.assign(new Error('not a file'), { code: 'ENOTFILE' });
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

interface Assignment {
  readonly name: string;
  /** The text after the `=`. A quoted value may have several lines. */
  readonly text: string;
}

function assignmentsOf(text: string, path: string): readonly Assignment[] {
  const lines = text.split(/\r?\n/);
  const broken = lines.findIndex((line) => line.includes('\0'));
  if (broken !== -1) throw holdsNul(path, broken);
  const found: Assignment[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const [, name, value = ''] = /^(?:export\s+)?([^\s=]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) throw setsNothing(path, at);
    const [quote = ''] = /^["'`]/.exec(value) ?? [];
    const isOpen = quote !== '' && !value.includes(quote, 1);
    // A quote that is never closed is a part of the value.
    const end = isOpen ? lines.findIndex((later, index) => index > at && later.includes(quote)) : -1;
    if (end === -1) {
      found.push({ name, text: value });
      continue;
    }
    const last = lines[end] ?? '';
    if (!/^\s*(#.*)?$/.test(last.slice(last.indexOf(quote) + 1))) throw setsNothing(path, end);
    found.push({ name, text: [value, ...lines.slice(at + 1, end + 1)].join('\n') });
    at = end;
  }
  return found;
}

/** The error for a line that is not NAME=value. It does not show the line, which may be a part of a password. */
function setsNothing(path: string, index: number): GracefulRunError {
  return new GracefulRunError(
    'envFileUnreadable',
    `cannot read the environment file ${path}: line ${index + 1} is not NAME=value`,
    { hint: 'a line is NAME=value, or a comment that begins with #; a value of several lines needs quotes' },
  );
}

/** The error for a value with a NUL character. Node.js would refuse such a value at the spawn, and print it. */
function holdsNul(path: string, index: number): GracefulRunError {
  return new GracefulRunError(
    'envFileUnreadable',
    `cannot read the environment file ${path}: line ${index + 1} has a NUL character`,
    { hint: 'a variable cannot hold it; is the file in UTF-16? Save it as UTF-8' },
  );
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  ENOTFILE: 'it is a pipe or a device',
};

function hintFor(code: string): string {
  if (code === 'EACCES') return 'let the user that runs graceful-run read it';
  if (code === 'ENOTFILE') return 'it is read again at every start and reload: use a regular file';
  if (code === 'EISDIR') return 'name a file, not a directory';
  return 'it must exist at every start and reload; a relative path starts at the directory in which graceful-run was started';
}
