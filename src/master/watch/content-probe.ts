/** Looks at one directory entry, without following symlinks. */
import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { systemCode } from '../../shared/errors.ts';
import type { Entry } from './path-route.ts';

/** What is at `path`. Synchronous: it takes a few microseconds, and in this process nothing can happen between the start of a watch and this look. */
export function probe(path: string): Entry {
  try {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) };
    if (stats.isDirectory()) return { kind: 'directory' };
    return { kind: stats.isFile() ? 'file' : 'special' };
  } catch (error) {
    const code = systemCode(error) ?? 'unknown error';
    // EINVAL: the path was a symlink for lstat, but not for readlink any more. The event about that is on its way.
    return isAbsence(code) || code === 'EINVAL' ? { kind: 'missing' } : { kind: 'unreadable', code };
  }
}

/** Whether a system error says that there is nothing at a path. */
export function isAbsence(code: string): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * Whether a directory is never renamed, but changed by many processes: `/`, and with the sticky bit `/tmp` and its like.
 */
export function isSharedDirectory(directory: string): boolean {
  const stickyBit = 0o1000;
  try {
    return directory === '/' || (statSync(directory).mode & stickyBit) !== 0;
  } catch {
    return false;
  }
}
