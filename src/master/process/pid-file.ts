/**
 * Reads which process a pid file names, and checks whether that can be trusted: the pid may be another process's by now, and the content of the file makes
 * this process signal that one. It follows PIDFile= of systemd. Loaded only for programs with `adopt_pid_file`.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../../shared/errors.ts';
import { hasEnded, readProcessStat } from '../../shared/process-stat.ts';
import { ticksPerSecond } from '../../shared/worker-usage.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';

export type PidFileContent =
  | { readonly kind: 'names'; readonly pid: number; readonly startedAt: number }
  /** The file does not exist yet, or names no process that could be the daemon. */
  | { readonly kind: 'namesNone'; readonly problem: string }
  /** Other users may write to the file, so its content is not trusted; or it names a process that this one cannot signal. */
  | { readonly kind: 'unsafe'; readonly problem: string; readonly hint?: string };

/** The longest content of a pid file, which is a pid and a newline. */
const maxBytes = 64;

/**
 * How much older the file may be than its process. It is written after the process has started, but clocks of the kernel count in ticks, and the wall
 * clock may have been set a little.
 */
const toleranceMs = 2_000;

export function readPidFile(path: string): PidFileContent {
  const none = (problem: string): PidFileContent => ({ kind: 'namesNone', problem });
  const read = readSafely(path);
  if ('problem' in read) return read;
  const pid = parsePid(read.text);
  if (pid === null) return none(`${path} holds no process number`);
  const stat = readProcessStat(pid);
  if (stat === null || hasEnded(stat)) return none(`${path} names process ${pid}, which does not run`);
  if (pid === 1 || pid === process.pid) return none(`${path} names process ${pid}, which cannot be meant`);
  const startedMs = startOf(stat.startedAt);
  if (startedMs !== null && startedMs > read.writtenMs + toleranceMs)
    return none(`${path} is older than process ${pid}, so it named another one`);
  const uid = uidOf(pid);
  if (read.writers.length > 0 && (read.writers.length > 1 || uid !== read.writers[0]))
    return {
      kind: 'unsafe',
      problem: `${path} can be written by user ${read.writers.join(' and ')}, and process ${pid} is of user ${uid ?? '?'}`,
    };
  if (!isSignallable(pid))
    return {
      kind: 'unsafe',
      problem: `${path} names process ${pid} of user ${uid ?? '?'}, which graceful-run may not signal`,
      hint: 'run graceful-run as that user, or as root',
    };
  return { kind: 'names', pid, startedAt: stat.startedAt };
}

function isSignallable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'EPERM';
  }
}

interface SafeText {
  readonly text: string;
  readonly writtenMs: number;
  /** The users who can write the file, other than root and the user of this process. The file may name only processes of these users. */
  readonly writers: readonly number[];
}

function readSafely(path: string): SafeText | Exclude<PidFileContent, { readonly kind: 'names' }> {
  let fd: number | null = null;
  try {
    // A symlink is not followed, because a user who owns the folder might have put it there; and a FIFO does not make this process wait.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const file = fstatSync(fd);
    const folder = statSync(dirname(path));
    if (!file.isFile()) return { kind: 'unsafe', problem: `${path} is no file` };
    const open = [
      ...(isWritableByAll(file) ? [path] : []),
      // In a folder with a sticky bit, such as /tmp, others can only put a file of their own there first.
      ...(isWritableByAll(folder) && (folder.mode & sticky) === 0 ? [dirname(path)] : []),
    ];
    if (open[0] !== undefined) return { kind: 'unsafe', problem: `${open[0]} can be written by others` };
    const bytes = Buffer.alloc(maxBytes);
    const length = readSync(fd, bytes, 0, maxBytes, 0);
    const trusted = [0, process.geteuid?.() ?? 0];
    const writers = [...new Set([file.uid, folder.uid])].filter((uid) => !trusted.includes(uid));
    return { text: bytes.toString('latin1', 0, length), writtenMs: file.mtimeMs, writers };
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code === 'ELOOP') return { kind: 'unsafe', problem: `${path} is a symbolic link` };
    return {
      kind: 'namesNone',
      problem: code === 'ENOENT' ? `${path} does not exist` : `${path} cannot be read: ${plainReason(code)}`,
    };
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

const sticky = 0o1000;

function isWritableByAll({ mode }: Stats): boolean {
  return (mode & 0o022) !== 0;
}

/** Parses a pid; null if the text is not one. Pure. */
export function parsePid(text: string): number | null {
  const [, digits] = /^\s*(\d{1,10})\s*$/.exec(text) ?? [];
  const pid = Number(digits ?? 0);
  return pid > 0 && pid < 2 ** 31 ? pid : null;
}

/** Converts the start time of a process from ticks to ms since 1970; null if there is no /proc/stat. */
function startOf(ticks: number): number | null {
  try {
    const boot = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1];
    return boot === undefined ? null : Number(boot) * 1_000 + (ticks * 1_000) / ticksPerSecond;
  } catch {
    return null;
  }
}

function uidOf(pid: number): number | null {
  try {
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return uid === undefined ? null : Number(uid);
  } catch {
    return null;
  }
}
