/** Reads a config file as text, and says in one sentence why it cannot be read. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { systemCode } from '../../../shared/errors.ts';
import { plainReason } from '../../system-calls/plain-reasons.ts';
import { SyntaxFaults } from './document.ts';

/** The longest file that is read. It has room for thousands of programs; what is longer is not a config file. */
export const maxFileBytes: number = 4 * 1024 * 1024;

/** The text of the file, without a byte order mark. Throws `SyntaxFaults`. */
export function readText(path: string): string {
  const bytes = readBytes(path);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw fault('is in UTF-16', 'save it as UTF-8');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fault('is not text in UTF-8', 'is it the right file?');
  }
  if (text.includes('\0')) throw fault('is a binary file: it has NUL characters', 'is it the right file?');
  return text;
}

/** Throws `SyntaxFaults` unless the path is a readable file. */
export function checkReadable(path: string): void {
  closeSync(open(path));
}

function readBytes(path: string): Uint8Array {
  const file = open(path);
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for (;;) {
      const chunk = Buffer.alloc(256 * 1024);
      const read = readSync(file, chunk);
      if (read === 0) return Buffer.concat(chunks);
      length += read;
      if (length > maxFileBytes) throw tooLong();
      chunks.push(chunk.subarray(0, read));
    }
  } catch (error) {
    throw error instanceof SyntaxFaults ? error : unreadable(error);
  } finally {
    closeSync(file);
  }
}

/** Opens the file without blocking: opening a pipe would wait for a writer (fifo(7)). */
function open(path: string): number {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(error);
  }
  const stats = fstatSync(file);
  const problem = stats.isDirectory()
    ? fault('cannot be read: it is a directory', 'name a file')
    : !stats.isFile()
      ? fault(
          'cannot be read: it is a pipe or a device',
          'it is read again at every update: give a regular file',
        )
      : stats.size > maxFileBytes
        ? tooLong()
        : null;
  if (problem === null) return file;
  closeSync(file);
  throw problem;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is a file',
  ENXIO: 'it is a socket or a device',
};

function unreadable(error: unknown): SyntaxFaults {
  const code = systemCode(error) ?? 'unknown error';
  return fault(
    `cannot be read: ${reasons[code] ?? plainReason(code)}`,
    code === 'EACCES' ? 'let the user that runs graceful-run read it' : null,
  );
}

function tooLong(): SyntaxFaults {
  return fault(`has more than ${maxFileBytes / 1024 / 1024} MB`, 'is it the right file?');
}

function fault(message: string, hint: string | null): SyntaxFaults {
  return new SyntaxFaults([{ at: null, message, hint }]);
}
