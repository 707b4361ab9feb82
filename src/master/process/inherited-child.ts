/**
 * Takes over workers from the previous image of this process: execve(2) replaces the program of a process, and keeps its children, and its descriptors without
 * FD_CLOEXEC. Node.js has no way to adopt such a child, so its object is made here (child-object.ts).
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { GracefulRunError } from '../../shared/errors.ts';
import type { InheritedWorker, ProcessListeners, WorkerProcess } from './platform.ts';
import { awaitEnd } from './child-ends.ts';
import { makeChildObject, type ChildObject } from './child-object.ts';
import { socketpair } from '../system-calls/unix-socket-calls.ts';
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
  // No free descriptor: this says nothing about Node.js.
  if (typeof pair === 'string') return;
  const [one, other] = pair;
  const child = objectFor(process.pid, one).child;
  child.disconnect();
  closeSync(other);
}

/** Makes the object for a running process. `channel`: this process's end of its channel; null if the channel is closed. */
function inheritChild(pid: number, channel: number | null): ChildProcess {
  const { child, ended } = objectFor(pid, channel);
  awaitEnd(pid, ended);
  return child;
}

function objectFor(pid: number, channel: number | null): ChildObject {
  const ignored = ['ignore', 'ignore', 'ignore'] as const;
  const stdio = channel === null ? ignored : ([...ignored, 'ipc'] as const);
  const object = makeChildObject(stdio, (open) =>
    channel === null || open(ignored.length, channel) ? pid : null,
  );
  if (object === null || (channel !== null && !object.child.connected)) throw cannotInherit();
  return object;
}

function cannotInherit(): GracefulRunError {
  return new GracefulRunError(
    'upgradeFailed',
    `cannot take over the workers: Node.js ${process.version} has no way to adopt a process`,
    { hint: 'use a Node.js version that graceful-run was tested with: 20, 22, 24 or 26' },
  );
}
