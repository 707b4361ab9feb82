/**
 * A process whose environment announces a listener that it has not inherited: it runs as without us until it listens there. That
 * fails then, with the reason; Node.js would say EADDRINUSE or EINVAL. A bundle of its own (bundle.ts).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { readProcessStat } from '../../shared/process-stat.ts';
import { cannotInherit, heldByMaster, notInherited, type AnnouncedListener } from '../../shared/protocol.ts';
import { matches, writeAddress } from '../listen/addresses.ts';
import { forgetChannel } from '../node-internals/channel-handle.ts';
import { readListenCall } from '../listen/listen-call.ts';
import { replaceMethod, type ServerMethod } from '../node-internals/server-prototype.ts';
import { complain } from '../process/standard-streams.ts';
import type { Inheritance } from './inheritance.ts';

export function refuseToListen(
  listeners: readonly AnnouncedListener[],
  { hasFalseChannel }: Inheritance,
): void {
  if (hasFalseChannel) forgetChannel();
  // It runs the preload, and has nothing that makes a server of a descriptor.
  const isDeno = process.versions['deno'] !== undefined;
  replaceMethod('listen', (original): ServerMethod => {
    return function listen(...args) {
      const { target } = readListenCall(args);
      const isDeclared = (listener: AnnouncedListener): boolean =>
        target.kind === 'tcp'
          ? matches(listener, target.host, target.port)
          : target.kind === 'fd' && target.fd === listener.fd;
      const listener = listeners.find(isDeclared);
      if (listener === undefined) return original.apply(this, args);
      const host = target.kind === 'tcp' ? target.host : null;
      const error = Object.assign(
        new Error(
          `cannot listen on ${writeAddress(host, listener.port)}: graceful-run holds it, and ${isDeno ? `${cannotInherit}: Deno` : `${blameFor(listener)} did not pass descriptor ${listener.fd} on`} (${notInherited})`,
        ),
        { code: notInherited, port: listener.port },
      );
      process.nextTick(() => this.emit('error', error));
      return this;
    };
  });
}

/**
 * A thread of a worker: the listener belongs to the main thread, which hears when it may accept and when it has to end. `ports` are those
 * that the master holds.
 */
export function refuseInThread(ports: readonly number[]): void {
  replaceMethod('listen', (original): ServerMethod => {
    return function listen(...args) {
      const { target } = readListenCall(args);
      if (target.kind !== 'tcp' || !ports.includes(target.port)) return original.apply(this, args);
      const where = writeAddress(target.host, target.port);
      const text = `cannot listen on ${where} in a worker thread: graceful-run hands it to the main thread (${heldByMaster}): listen there, and pass on work instead of connections, or start one process for each core with --workers`;
      complain(text);
      const error = Object.assign(new Error(text), { code: heldByMaster, port: target.port });
      process.nextTick(() => this.emit('error', error));
      return this;
    };
  });
}

/** The nearest ancestor that has the listener: `python3 (pid 12)`. Its descendants could not get it from anywhere else. */
function blameFor({ fd, inode }: AnnouncedListener): string {
  for (let pid = process.ppid; pid > 1; pid = readProcessStat(pid)?.parent ?? 0) {
    try {
      if (readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode ?? ''}]`) return describeProcess(pid);
    } catch {
      // Descriptors of other users cannot be looked at, and a process may have ended.
    }
  }
  return 'a process between the two';
}

/** Its arguments may hold secrets: only those of Node.js that start another process are named. */
function describeProcess(pid: number): string {
  const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const [mode = ''] = words.flatMap((word) => /^--(?:run|watch)\b/.exec(word) ?? []);
  return `${mode === '' ? name : `node ${mode}`} (pid ${pid})`;
}
