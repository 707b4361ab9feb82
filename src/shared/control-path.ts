/** The folders and names of control sockets, and the rules by which a folder is trusted to hold one. The master binds them and gracefulctl looks for them. */
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isProgramName } from './program-name.ts';

const suffix = '.sock';

/**
 * The folders that may hold control sockets, best first: $XDG_RUNTIME_DIR, /run (for root), the temp folder.
 * $GRACEFUL_RUN_CONTROL_FOLDER, if set, is the only one.
 */
export function controlFolders(environment: NodeJS.ProcessEnv, uid: number): readonly string[] {
  const only = environment['GRACEFUL_RUN_CONTROL_FOLDER'];
  if (only !== undefined && only !== '') return [only];
  const runtime = environment['XDG_RUNTIME_DIR'];
  const temp = join(tmpdir(), `graceful-run-${uid}`);
  const folders = runtime === undefined || runtime === '' ? [] : [join(runtime, 'graceful-run')];
  if (uid === 0) folders.push('/run/graceful-run');
  return [...folders, temp];
}

/**
 * The folders in which a client looks, best first: those that a master may have chosen, and /run/user/UID. If XDG_RUNTIME_DIR is not set (cron, su,
 * sudo), the master may have been started by a login shell, which has it.
 */
export function clientFolders(environment: NodeJS.ProcessEnv, uid: number): readonly string[] {
  const folders = controlFolders(environment, uid);
  const only = environment['GRACEFUL_RUN_CONTROL_FOLDER'];
  if (only !== undefined && only !== '') return folders;
  return [...new Set([...folders, `/run/user/${uid}/graceful-run`])];
}

/** Returns the file name of the socket for a name. */
export function controlFile(name: string): string {
  return `${name}${suffix}`;
}

/** Returns the name for a socket's path; null if the file is not named like a control socket. */
export function controlName(path: string): string | null {
  const file = basename(path);
  const name = file.slice(0, -suffix.length);
  return file.endsWith(suffix) && isProgramName(name) ? name : null;
}

/** The longest path that a UNIX socket may have, in bytes: `sun_path` of unix(7) less its final zero. */
export function socketPathLimitBytes(platform: NodeJS.Platform): number {
  return platform === 'darwin' ? 103 : 107;
}

/** The facts from lstat(2) on which the trust in a folder depends. */
export interface FolderFacts {
  readonly isFolder: boolean;
  readonly isLink: boolean;
  readonly uid: number;
  readonly mode: number;
}

/**
 * Returns why a folder cannot be trusted with a control socket; null if it can. In the temp folder, another user may have made it first. A user who
 * can write to it could put another socket in the place of the master's.
 */
export function folderProblem(facts: FolderFacts, uid: number): string | null {
  if (facts.isLink) return 'it is a symbolic link';
  if (!facts.isFolder) return 'it is not a directory';
  if (facts.uid !== uid) return `it belongs to user ${facts.uid}, not to user ${uid}`;
  if ((facts.mode & 0o022) !== 0) return 'other users may write to it';
  return null;
}
