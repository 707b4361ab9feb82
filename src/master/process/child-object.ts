/**
 * Makes a ChildProcess for a child that Node.js has not started, with a handle of our own in the place of the native one. It opens ends of pipes and channels that
 * exist already (undocumented; checked on 20, 22, 24 and 26).
 */
import { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { Readable } from 'node:stream';
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
  // The constructor of ChildProcess is not called. It would make a native handle, which stays in memory for ever if it never starts a process.
  const child = Reflect.construct(EventEmitter, [], ChildProcess) as ChildProcess;
  /** Null once it was called: the object must not keep what a process was started with in memory. */
  let beginOnce: typeof begin | null = begin;
  const handle: ProcessHandle = {
    pid: undefined,
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
  Object.assign(child, {
    _closesNeeded: 1,
    _closesGot: 0,
    _handle: handle,
    connected: false,
    signalCode: null,
    exitCode: null,
    killed: false,
    spawnfile: null,
  });
  // @types/node does not declare the method that spawn() calls.
  const start: unknown = Reflect.get(child, 'spawn');
  try {
    if (typeof start !== 'function') return null;
    Reflect.apply(start, child, [{ file: '', args: [''], stdio: [...stdio] }]);
  } catch (error) {
    if (handle.pid === undefined) return null;
    throw error;
  }
  return {
    child,
    ended: (outcome) => {
      emitEnd(child, outcome);
    },
  };
}

/** Does what the native handle of Node.js does when its process has ended. */
function emitEnd(child: ChildProcess, { code, signal }: Outcome): void {
  Object.assign(child, signal === null ? { exitCode: code ?? 0 } : { signalCode: signal });
  child.stdin?.destroy();
  Object.assign(child, { _handle: null });
  child.emit('exit', child.exitCode, child.signalCode);
  // Node.js closes a stream only when it has been read to its end. A stream that nobody reads would stay open, so it is read here.
  process.nextTick(() => {
    for (const stream of child.stdio)
      if (stream instanceof Readable && stream.readableFlowing === null) stream.resume();
  });
  const closes = Number(Reflect.get(child, '_closesGot')) + 1;
  Object.assign(child, { _closesGot: closes });
  if (closes === Reflect.get(child, '_closesNeeded')) child.emit('close', child.exitCode, child.signalCode);
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
