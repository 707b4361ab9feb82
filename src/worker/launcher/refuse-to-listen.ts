/**
 * Makes `listen()` fail with the reason where it cannot work: in a process that has not inherited the listeners which its environment
 * announces, and in a worker thread. Node.js alone would report EADDRINUSE or EINVAL. A bundle of its own (bundle.ts).
 */
import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import { readProcessArguments } from '../../shared/process-arguments.ts';
import { readProcessStat } from '../../shared/process-stat.ts';
import { cannotInherit, heldByMaster, notInherited, type AnnouncedListener } from '../../shared/protocol.ts';
import { matches, writeAddress, writeListener, writePath } from '../listen/addresses.ts';
import { forgetChannel } from '../node-internals/channel-handle.ts';
import { readListenCall } from '../listen/listen-call.ts';
import { replaceMethod, type ServerMethod } from '../node-internals/server-prototype.ts';
import { complain } from '../process/standard-streams.ts';
import type { Inheritance } from './inheritance.ts';
import type { MainThreadListener } from '../boot/environment.ts';

export function refuseToListen(
  listeners: readonly AnnouncedListener[],
  { hasFalseChannel }: Inheritance,
): void {
  if (hasFalseChannel) forgetChannel();
  // Deno runs the preload, and cannot make a server of a descriptor.
  const isDeno = process.versions['deno'] !== undefined;
  replaceMethod('listen', (original): ServerMethod => {
    return function listen(...args) {
      const { target } = readListenCall(args);
      const isDeclared = (listener: AnnouncedListener): boolean => {
        if (target.kind === 'fd') return target.fd === listener.fd;
        return listener.type === 'unix'
          ? target.kind === 'path' && writePath(target.path) === listener.path
          : listener.type === 'tcp' && target.kind === 'tcp' && matches(listener, target.host, target.port);
      };
      const listener = listeners.find(isDeclared);
      if (listener === undefined) return original.apply(this, args);
      const where =
        listener.type === 'tcp' && target.kind === 'tcp'
          ? writeAddress(target.host, listener.port)
          : writeListener(listener);
      const error = Object.assign(
        new Error(
          `cannot listen on ${where}: graceful-run holds it, and ${isDeno ? `${cannotInherit}: Deno` : `${blameFor(listener)} did not pass descriptor ${listener.fd} on`} (${notInherited})`,
        ),
        {
          code: notInherited,
          ...(listener.type === 'unix' ? { address: listener.path } : { port: listener.port }),
        },
      );
      process.nextTick(() => this.emit('error', error));
      return this;
    };
  });
}

/**
 * Refuses in a worker thread: the listeners belong to the main thread, which learns when it may accept and when to drain. `inherited` are those of
 * TCP and UDP: a port that is declared only for UDP is free for TCP.
 */
export function refuseInThread(inherited: readonly MainThreadListener[]): void {
  replaceMethod('listen', (original): ServerMethod => {
    return function listen(...args) {
      const { target } = readListenCall(args);
      if (target.kind !== 'tcp') return original.apply(this, args);
      const { port } = target;
      if (!inherited.some((one) => one.port === port && !isDatagramSocket(one.fd)))
        return original.apply(this, args);
      const where = writeAddress(target.host, target.port);
      const text = `cannot listen on ${where} in a worker thread: graceful-run hands it to the main thread (${heldByMaster}): listen there, and pass on work instead of connections, or start one process for each core with workers (--workers)`;
      complain(text);
      const error = Object.assign(new Error(text), { code: heldByMaster, port: target.port });
      process.nextTick(() => this.emit('error', error));
      return this;
    };
  });
}

/** Names the nearest ancestor that has the listener, as `python3 (pid 12)`: it is the process that did not pass the listener on. */
function blameFor({ fd, inode }: AnnouncedListener): string {
  for (let pid = process.ppid; pid > 1; pid = readProcessStat(pid)?.parent ?? 0) {
    try {
      if (readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode ?? ''}]`) return describeProcess(pid);
    } catch {
      // The process has ended, or belongs to another user.
    }
  }
  return 'a process between the two';
}

/** Describes a process by its name and pid. Arguments may contain secrets, so only the options of Node.js that start another process are named. */
function describeProcess(pid: number): string {
  const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  const [mode = ''] = readProcessArguments(pid).flatMap((word) => /^--(?:run|watch)\b/.exec(word) ?? []);
  return `${mode === '' ? name : `node ${mode}`} (pid ${pid})`;
}

/** Whether the descriptor is a UDP socket, as /proc/net tells it (proc(5)). False if that cannot be read. */
function isDatagramSocket(fd: number): boolean {
  try {
    const inode = String(fstatSync(fd).ino);
    return ['/proc/net/udp', '/proc/net/udp6'].some((path) =>
      readFileSync(path, 'latin1')
        .split('\n')
        .some((line) => line.trim().split(/\s+/)[9] === inode),
    );
  } catch {
    return false;
  }
}
