/**
 * Makes a ChildProcess for a child that Node.js has not started, by replacing its native handle. The replacement opens ends of pipes and channels that exist
 * already (undocumented; checked on 20, 22, 24 and 26).
 */
import { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Outcome } from '../../shared/events.ts';

export interface ChildObject {
  readonly child: ChildProcess;
  /** Has to be called when the process has ended. */
  readonly ended: (outcome: Outcome) => void;
}

/** The part of the handle of a child process that Node.js calls. */
interface ProcessHandle {
  pid: number | undefined;
  /** Node.js passes the options in one object (20, 22), or each by itself (24, 26). */
  spawn(...given: readonly unknown[]): number;
  onexit(code: number, signal: string): void;
  kill(signal: number): number;
  close(): void;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
}

/** Gives this process's end of the child's descriptor `at` to the object, which then owns it. Returns false if that failed. */
export type OpenEnd = (at: number, fd: number) => boolean;

/**
 * `stdio`: the child's descriptors, and which of them Node.js reads and writes. `begin` opens these, and returns the pid of the process, which it has started or
 * which runs already, or null on failure. Returns null if `begin` does, or if Node.js has changed its internals.
 */
export function makeChildObject(
  stdio: readonly ('ignore' | 'ipc' | 'pipe')[],
  begin: (open: OpenEnd) => number | null,
): ChildObject | null {
  const child = new ChildProcess();
  const report = takeFromNative(child);
  if (report === null) return null;
  /** Null once it was called: the object must not keep what a process was started with in memory. */
  let beginOnce: typeof begin | null = begin;
  const handle: ProcessHandle = {
    pid: undefined,
    onexit: report,
    spawn: (...given) => {
      const entries = entriesOf(given);
      const pid = beginOnce?.((at, fd) => openEnd(entries[at], fd));
      beginOnce = null;
      if (pid == null) return -constants.errno.EINVAL;
      handle.pid = pid;
      return 0;
    },
    // sendSignal() signals the process. ChildProcess.kill() throws.
    kill: () => -constants.errno.ENOSYS,
    close: () => undefined,
    ref: () => undefined,
    unref: () => undefined,
    hasRef: () => true,
  };
  Reflect.set(child, '_handle', handle);
  try {
    start(child, { file: '', args: [''], stdio: [...stdio] });
  } catch (error) {
    if (handle.pid === undefined) return null;
    throw error;
  }
  return {
    child,
    ended: ({ code, signal }) => {
      handle.onexit(code ?? 0, signal ?? '');
    },
  };
}

type Report = (code: number, signal: string) => void;

/**
 * Returns the function with which the native handle reports the end of the child, and has Node.js free that handle. Node.js frees only one that has tried to
 * start a process, and until then also keeps the child in memory. A descriptor -1 makes it fail before it forks. Null if Node.js has changed its internals.
 */
function takeFromNative(child: ChildProcess): Report | null {
  const native: unknown = Reflect.get(child, '_handle');
  const report: unknown =
    typeof native === 'object' && native !== null ? Reflect.get(native, 'onexit') : null;
  if (typeof report !== 'function') return null;
  try {
    start(child, { file: '/', args: ['/'], stdio: [{ fd: -1 }, 'ignore', 'ignore'] });
  } catch {
    return Reflect.get(child, '_handle') === null ? (report as Report) : null;
  }
  // Node.js is about to report that `/` is no program.
  child.on('error', () => undefined);
  return null;
}

/** The method that spawn() calls, which @types/node does not declare. Throws what it throws. */
function start(child: ChildProcess, options: object): void {
  const method: unknown = Reflect.get(child, 'spawn');
  if (typeof method !== 'function') throw new TypeError('a ChildProcess has no method `spawn`');
  Reflect.apply(method, child, [options]);
}

/** What Node.js passes to the handle for each descriptor of the child: the only array argument whose elements are objects. */
function entriesOf(given: readonly unknown[]): readonly unknown[] {
  const [first] = given;
  const all = typeof first === 'object' && first !== null ? [Reflect.get(first, 'stdio')] : given;
  const arrays = all.filter((one) => Array.isArray(one)) as readonly (readonly unknown[])[];
  return arrays.find(([entry]) => typeof entry === 'object') ?? [];
}

/** Opens the descriptor in the handle that Node.js has made for this entry. */
function openEnd(entry: unknown, fd: number): boolean {
  const handle: unknown = typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'handle') : null;
  const open: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'open') : null;
  return typeof open === 'function' && Number(Reflect.apply(open, handle, [fd])) === 0;
}
