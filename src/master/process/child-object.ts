/**
 * Makes the objects for children that Node.js has not started: as spawn() makes one, except that the handle below it is not that of Node.js. It opens ends of
 * channels and pipes that exist already (undocumented; found on 20, 22, 24 and 26).
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

/** Opens this process's end of a channel or pipe in the object, which closes it from then on. `at`: the number that the child has for it. Returns whether it could. */
export type OpenEnd = (at: number, fd: number) => boolean;

/**
 * `stdio`: what Node.js is to read and write of the child's descriptors. `begin` opens an end for each of these, starts the process, or finds the one that runs
 * already, and returns its pid, or null if something failed. Returns null if it did, or if this Node.js cannot do that.
 */
export function makeChildObject(
  stdio: readonly ('ignore' | 'ipc' | 'pipe')[],
  begin: (open: OpenEnd) => number | null,
): ChildObject | null {
  const child = new ChildProcess();
  const made: unknown = Reflect.get(child, '_handle');
  // @types/node does not declare the method that spawn() calls.
  const start: unknown = Reflect.get(child, 'spawn');
  if (!isProcessHandle(made) || typeof start !== 'function') return null;
  /** Null once it was called: the object must not keep what a process was started with in memory. */
  let beginOnce: typeof begin | null = begin;
  const handle: ProcessHandle = {
    pid: undefined,
    onexit: (code, signal) => {
      made.onexit(code, signal);
    },
    spawn: (...given) => {
      const entries = entriesOf(given);
      const pid = beginOnce?.((at, fd) => openEnd(entries[at], fd));
      beginOnce = null;
      if (pid == null) return -constants.errno.EINVAL;
      handle.pid = pid;
      return 0;
    },
    // Signals are sent by kill(2), as to every worker.
    kill: () => 0,
    close: () => undefined,
    ref: () => undefined,
    unref: () => undefined,
    hasRef: () => true,
  };
  made.close();
  Reflect.set(child, '_handle', handle);
  try {
    Reflect.apply(start, child, [{ file: '', args: [''], stdio: [...stdio] }]);
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

/** What Node.js passes to the handle for each descriptor of the child. Of the arrays among the options, only this one has objects in it. */
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

function isProcessHandle(value: unknown): value is ProcessHandle {
  if (typeof value !== 'object' || value === null) return false;
  return ['onexit', 'close'].every((name) => typeof Reflect.get(value, name) === 'function');
}
