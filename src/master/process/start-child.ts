/**
 * Starts processes in sessions of their own, as spawn() of Node.js with `detached` does. If this process reaps its children itself, it uses posix_spawn(3) instead
 * of fork(2), which costs both processes several milliseconds (docs/adr/0051).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { duplicate, makeBlocking } from '../system-calls/descriptor-calls.ts';
import { socketpair } from '../system-calls/unix-socket-calls.ts';
import { canSpawn, spawnProcess } from '../system-calls/spawn-calls.ts';
import { awaitEndOfStarted } from './child-ends.ts';
import { makeChildObject, type OpenEnd } from './child-object.ts';

export interface StartChild {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  /** The descriptors of the process: 0, 1, 2 … */
  readonly stdio: readonly (number | 'inherit' | 'ignore' | 'pipe' | 'ipc')[];
}

/** Starts the process. If it cannot be started, it has no pid, and its 'error' says why. Throws what spawn() throws. */
export function startChild(wanted: StartChild): ChildProcess {
  // If posix_spawn fails, Node.js tries again: its errors are known, and it runs scripts without `#!`.
  return startWithoutFork(wanted) ?? spawnByNode(wanted);
}

function spawnByNode({ file, args, cwd, environment, stdio }: StartChild): ChildProcess {
  return spawn(file, args, { cwd, env: environment, detached: true, stdio: [...stdio] });
}

/** Returns null, with every descriptor closed again, if the process was not started. */
function startWithoutFork({ file, args, cwd, environment, stdio }: StartChild): ChildProcess | null {
  // Node.js searches for a file without a slash.
  if (!canSpawn() || !file.includes('/')) return null;
  const pairs = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${value}`,
  );
  // A C string cannot contain NUL. Node.js throws an error that says so.
  if ([file, cwd, ...args, ...pairs].some((text) => text.includes('\0'))) return null;
  const channel = stdio.indexOf('ipc');
  if (channel !== -1) pairs.push(`NODE_CHANNEL_FD=${channel}`, 'NODE_CHANNEL_SERIALIZATION_MODE=json');
  const kinds = stdio.map((entry) => (entry === 'pipe' || entry === 'ipc' ? entry : 'ignore'));
  const object = makeChildObject(kinds, (open) => {
    const opened: number[] = [];
    try {
      const descriptors = stdio.map((entry, at) => descriptorFor(entry, at, stdio.length, open, opened));
      const pid = spawnProcess({ file, args, environment: pairs, cwd, descriptors });
      return typeof pid === 'string' ? null : pid;
    } catch (error) {
      if (error instanceof CannotPrepare) return null;
      throw error;
    } finally {
      for (const fd of opened) closeSync(fd);
    }
  });
  if (object?.child.pid === undefined) return null;
  awaitEndOfStarted(object.child.pid, object.ended);
  return object.child;
}

class CannotPrepare extends Error {}

const lastStandard = 2;

/** The descriptor of this process that becomes `at` in the new one. Those opened for this start alone are added to `opened`. Throws CannotPrepare. */
function descriptorFor(
  entry: StartChild['stdio'][number],
  at: number,
  count: number,
  open: OpenEnd,
  opened: number[],
): number | null | undefined {
  if (entry === 'ignore') return at <= lastStandard ? null : undefined;
  if (entry === 'pipe' || entry === 'ipc') {
    const pair = socketpair();
    if (typeof pair === 'string') throw new CannotPrepare();
    const [own, childEnd] = pair;
    opened.push(childEnd);
    if (!open(at, own)) {
      closeSync(own);
      throw new CannotPrepare();
    }
    return aboveTargets(childEnd, count, opened);
  }
  const fd = entry === 'inherit' ? at : entry;
  // Node.js does this, too: few programs can handle a non-blocking stdin, stdout or stderr.
  if (at <= lastStandard) makeBlocking(fd);
  return fd === at && at <= lastStandard ? fd : aboveTargets(fd, count, opened);
}

/** The descriptor, or a copy of it above all target numbers, so that no dup2(2) overwrites a source that is still needed. */
function aboveTargets(fd: number, count: number, opened: number[]): number {
  if (fd >= count) return fd;
  const copy = duplicate(fd, count);
  if (typeof copy === 'string') throw new CannotPrepare();
  opened.push(copy);
  return copy;
}
