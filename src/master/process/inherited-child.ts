/**
 * Takes over workers from the previous image of this process: execve(2) replaces the program of a process, and keeps its children and those of its
 * descriptors that are not closed on exec. Node.js has no way to adopt such a child. So the object for it is made as spawn() makes one, except that the
 * handle below it starts no process: it opens the channel that the process has already (undocumented; found on 20, 22, 24 and 26).
 */
import { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { GracefulRunError } from '../../shared/errors.ts';
import type { Outcome } from '../../shared/events.ts';
import type { InheritedWorker, ProcessListeners, WorkerProcess } from './platform.ts';
import { awaitEnd } from './inherited-ends.ts';
import { socketpair } from '../system-calls/syscalls.ts';
import { superviseWorker } from './spawn-worker.ts';
import { streamFrom } from './suspend-reading.ts';

/** Takes over the process. Throws GracefulRunError `upgradeFailed` if this Node.js cannot do that. */
export function inheritWorker(worker: InheritedWorker, listeners: ProcessListeners): WorkerProcess {
  const { pid, descriptors, isNode, outliveMs, tree } = worker;
  const child = inheritChild(pid, descriptors.channel);
  return superviseWorker(
    {
      child,
      pid,
      streams: { stdout: streamFrom(descriptors.stdout), stderr: streamFrom(descriptors.stderr) },
      newlines: streamFrom(descriptors.newline),
      isOnlyNode: isNode,
      outliveMs,
      tree,
    },
    listeners,
  );
}

/** Finds out whether this Node.js can take over a process. Only after `loadSystemCalls`. Throws GracefulRunError `upgradeFailed` if it cannot. */
export function requireInheritance(): void {
  const pair = socketpair();
  // There are no descriptors. That says nothing about Node.js.
  if (typeof pair === 'string') return;
  const [one, other] = pair;
  const child = objectFor(process.pid, one).child;
  child.disconnect();
  closeSync(other);
}

/** The part of the handle of a child process that Node.js calls. */
interface ProcessHandle {
  pid: number;
  /** Node.js passes the options in one object (20, 22), or each by itself (24, 26). */
  spawn(...given: readonly unknown[]): number;
  onexit(code: number, signal: string): void;
  kill(signal: number): number;
  close(): void;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
}

/** Makes the object for a process that runs already, and has the other end of this channel; null for a process whose channel is closed. */
function inheritChild(pid: number, channel: number | null): ChildProcess {
  const { child, ended } = objectFor(pid, channel);
  awaitEnd(pid, ended);
  return child;
}

interface ChildObject {
  readonly child: ChildProcess;
  /** Has to be called when the process has ended. */
  readonly ended: (outcome: Outcome) => void;
}

function objectFor(pid: number, channel: number | null): ChildObject {
  const child = new ChildProcess();
  const made: unknown = Reflect.get(child, '_handle');
  if (!isProcessHandle(made)) throw cannotInherit();
  const handle: ProcessHandle = {
    pid,
    onexit: (code, signal) => {
      made.onexit(code, signal);
    },
    spawn: (...given) => (channel === null ? 0 : openChannel(given, channel)),
    // Signals are sent by kill(2), as to every worker.
    kill: () => 0,
    close: () => undefined,
    ref: () => undefined,
    unref: () => undefined,
    hasRef: () => true,
  };
  made.close();
  Reflect.set(child, '_handle', handle);
  const stdio = ['ignore', 'ignore', 'ignore', ...(channel === null ? [] : ['ipc'])];
  // @types/node does not declare the method that spawn() calls.
  const start: unknown = Reflect.get(child, 'spawn');
  if (typeof start !== 'function') throw cannotInherit();
  Reflect.apply(start, child, [{ file: '', args: [''], stdio }]);
  if (channel !== null && !child.connected) throw cannotInherit();
  return {
    child,
    ended: ({ code, signal }) => {
      handle.onexit(code ?? 0, signal ?? '');
    },
  };
}

/** Opens the channel in the handle that Node.js has made for it. Returns what that returns: 0, or -errno. */
function openChannel(given: readonly unknown[], channel: number): number {
  const [first] = given;
  const all = typeof first === 'object' && first !== null ? [Reflect.get(first, 'stdio')] : given;
  const entries = all.flatMap((one: unknown) => (Array.isArray(one) ? (one as readonly unknown[]) : []));
  for (const entry of entries) {
    if (typeof entry !== 'object' || entry === null || Reflect.get(entry, 'ipc') !== true) continue;
    const handle: unknown = Reflect.get(entry, 'handle');
    const open: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'open') : null;
    if (typeof open === 'function') return Number(Reflect.apply(open, handle, [channel]));
  }
  return -constants.errno.EINVAL;
}

function isProcessHandle(value: unknown): value is ProcessHandle {
  if (typeof value !== 'object' || value === null) return false;
  return ['onexit', 'close'].every((name) => typeof Reflect.get(value, name) === 'function');
}

function cannotInherit(): GracefulRunError {
  return new GracefulRunError(
    'upgradeFailed',
    `cannot take over the workers: Node.js ${process.version} has no way to adopt a process`,
    { hint: 'use a Node.js version that graceful-run was tested with: 20, 22, 24 or 26' },
  );
}
