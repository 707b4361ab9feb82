/**
 * Starts processes whose stdout and stderr are read through pipes. Node.js would make socket pairs, and a socket cannot be opened: a program that opens
 * /dev/stdout or /proc/self/fd/1, as nginx and php-fpm are often configured to do, would fail with ENXIO.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, fchownSync } from 'node:fs';
import net from 'node:net';
import { GracefulRunError, messageOf, systemCode } from '../../shared/errors.ts';
import { pipe } from '../system-calls/output-calls.ts';
import type { OutputStream, SpawnRequest } from './platform.ts';
import { startChild, type StartChild } from './start-child.ts';

export interface StartWithOutput extends Omit<StartChild, 'stdio'> {
  readonly stdin: 'ignore' | 'pipe';
  readonly stdout: NonNullable<SpawnRequest['stdout']>;
  /** The descriptors that the process inherits at fd 3, 4 … */
  readonly inherited?: StartChild['stdio'];
  /**
   * Whether the process gets the ends of its pipes, too, from which this process reads. Then writing fails at no time if this process is killed: what is
   * written waits in the pipe until another process reads it.
   */
  readonly holdsReadEnds?: boolean;
  /** The user of the process, or null if it is the user of this process. */
  readonly uid: number | null;
}

export interface StartedWithOutput {
  readonly child: ChildProcess;
  /** The streams that are read. Null: the stream is not read, or the process could not be started. */
  readonly streams: Readonly<Record<OutputStream, net.Socket | null>>;
}

const stdoutOf = { inherited: 'inherit', discarded: 'ignore', read: null, joined: null } as const;

/**
 * Starts a process in a session and process group of its own, so that Ctrl-C in the terminal of this process does not reach it. If it cannot be started,
 * it has no pid, and its 'error' says why (`cannotStart`). Throws what spawn throws, and leaves nothing open then.
 */
export function startWithOutput({
  file,
  args,
  cwd,
  environment,
  stdin,
  stdout,
  inherited = [],
  holdsReadEnds = false,
  uid,
}: StartWithOutput): StartedWithOutput {
  const fixedStdout = stdoutOf[stdout];
  const pipes = {
    stdout: fixedStdout === null ? makeOutputPipe(uid) : null,
    stderr: makeOutputPipe(uid),
  };
  const readEnds = holdsReadEnds ? [pipes.stdout?.from ?? [], pipes.stderr.from ?? []].flat() : [];
  const stdio = [
    stdin,
    fixedStdout ?? pipes.stdout?.stdio ?? 'pipe',
    pipes.stderr.stdio,
    ...inherited,
    ...readEnds,
  ];
  let child: ChildProcess | null = null;
  try {
    child = startChild({ file, args, cwd, environment, stdio });
  } finally {
    if (child?.pid === undefined) for (const one of [pipes.stdout, pipes.stderr]) one?.discard();
  }
  if (child.pid === undefined) return { child, streams: { stdout: null, stderr: null } };
  return {
    child,
    streams: {
      stdout: pipes.stdout?.started() ?? socketOf(child.stdout),
      stderr: pipes.stderr.started() ?? socketOf(child.stderr),
    },
  };
}

/** Starts the process of a request. `inherited`: the descriptors that it inherits at fd 3, 4 … */
export function startRequested(
  { file, args, cwd, environment, stdout, uid }: SpawnRequest,
  { inherited = [], holdsReadEnds = false }: Pick<StartWithOutput, 'inherited' | 'holdsReadEnds'> = {},
): StartedWithOutput {
  return startWithOutput({
    file,
    args,
    cwd,
    environment,
    stdin: 'ignore',
    stdout: stdout ?? 'inherited',
    inherited,
    holdsReadEnds,
    uid,
  });
}

/** The error for a process that has no pid. `cause`: the error that it has emitted. */
export function cannotStart(file: string, cause: Error): GracefulRunError {
  switch (systemCode(cause) ?? '') {
    case 'ENOENT':
      return new GracefulRunError(
        'commandNotFound',
        `cannot run ${file}: it, or the interpreter that its first line names, does not exist`,
        { cause },
      );
    case 'EACCES':
    case 'ENOEXEC':
      return new GracefulRunError('commandNotExecutable', `cannot run ${file}: ${messageOf(cause)}`, {
        hint: 'check that it is executable, and built for this machine',
        cause,
      });
    default:
      return new GracefulRunError('startFailed', `cannot run ${file}: ${messageOf(cause)}`, {
        hint: 'check the limits of processes and file descriptors: ulimit -u, ulimit -n',
        cause,
      });
  }
}

function socketOf(stream: ChildProcess['stdout']): net.Socket | null {
  return stream instanceof net.Socket ? stream : null;
}

interface OutputPipe {
  /** The entry of `stdio` for the process. */
  readonly stdio: number | 'pipe';
  /** The end to read from; null if Node.js makes the pipe. */
  readonly from: number | null;
  /** Has to be called once after the start. Returns the end to read from, or null if Node.js has made the pipe. */
  started(): net.Socket | null;
  /** Has to be called instead if the process could not be started. */
  discard(): void;
}

/** A pipe that Node.js makes. Outside of Linux that is enough: there, /dev/stdout is a copy of the descriptor, whatever kind that is. */
const madeByNode: OutputPipe = { stdio: 'pipe', from: null, started: () => null, discard: () => undefined };

function makeOutputPipe(uid: number | null): OutputPipe {
  const ends = pipe({ waits: true });
  // If there are no free descriptors, the start itself fails with that error.
  if (typeof ends === 'string') return madeByNode;
  const [from, to] = ends;
  if (uid !== null) giveTo(uid, to);
  return {
    stdio: to,
    from,
    started() {
      closeSync(to);
      return new net.Socket({ fd: from, readable: true, writable: false });
    },
    discard() {
      closeSync(to);
      closeSync(from);
    },
  };
}

/** Makes a user the owner of a descriptor, because only its owner may open it again. */
function giveTo(uid: number, fd: number): void {
  try {
    fchownSync(fd, uid, -1);
  } catch {
    // Without CAP_CHOWN, the process can still write to it.
  }
}

/** Returns a function that calls back once, when all of these have closed. A child process closes without waiting for pipes that Node.js has not made. */
export function watchClosing(all: readonly (ChildProcess | net.Socket)[]): (closed: () => void) => void {
  let open = all.length;
  let closed: (() => void) | null = null;
  for (const one of all)
    one.once('close', () => {
      open -= 1;
      if (open === 0) closed?.();
    });
  return (callback) => {
    if (open === 0) callback();
    else closed = callback;
  };
}
