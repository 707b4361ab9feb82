/**
 * Starts processes in sessions of their own, as spawn() of Node.js with `detached` does; but where this process notices the ends of all of its children by
 * itself, it does so without fork(2), which takes several milliseconds from the new process and from this one (docs/adr/0051).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { duplicate, makeBlocking, socketpair } from '../system-calls/syscalls.ts';
import { spawnProcess } from '../system-calls/spawn-calls.ts';
import { areEndsReported, awaitEndOfOwn } from './child-ends.ts';
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
  // Whatever is refused is tried once more by Node.js, whose errors are known. It also runs scripts without a first line that names an interpreter.
  return startWithoutFork(wanted) ?? spawnByNode(wanted);
}

function spawnByNode({ file, args, cwd, environment, stdio }: StartChild): ChildProcess {
  return spawn(file, args, { cwd, env: environment, detached: true, stdio: [...stdio] });
}

/** Null if the process was not started: then nothing has changed. */
function startWithoutFork({ file, args, cwd, environment, stdio }: StartChild): ChildProcess | null {
  // Node.js searches for a file without a slash.
  if (!areEndsReported() || !file.includes('/')) return null;
  const pairs = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${value}`,
  );
  // No C string can have it; Node.js throws an error that says so.
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
      if (error instanceof NoDescriptors) return null;
      throw error;
    } finally {
      for (const fd of opened) closeSync(fd);
    }
  });
  if (object?.child.pid === undefined) return null;
  awaitEndOfOwn(object.child.pid, object.ended);
  return object.child;
}

class NoDescriptors extends Error {}

const lastStandard = 2;

/** The descriptor of this process that becomes `at` in the new one. Those that are only for this are added to `opened`. Throws NoDescriptors. */
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
    if (typeof pair === 'string') throw new NoDescriptors();
    const [own, its] = pair;
    opened.push(its);
    if (!open(at, own)) {
      closeSync(own);
      throw new NoDescriptors();
    }
    return outOfTheWay(its, count, opened);
  }
  const fd = entry === 'inherit' ? at : entry;
  // As Node.js does: hardly any program expects that these do not wait.
  if (at <= lastStandard) makeBlocking(fd);
  return fd === at && at <= lastStandard ? fd : outOfTheWay(fd, count, opened);
}

/** The descriptor, or a copy of it that is higher than all that the new process gets: they are put in place one after the other. */
function outOfTheWay(fd: number, count: number, opened: number[]): number {
  if (fd >= count) return fd;
  const copy = duplicate(fd, count);
  if (typeof copy === 'string') throw new NoDescriptors();
  opened.push(copy);
  return copy;
}
