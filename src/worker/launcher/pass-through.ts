/**
 * Package managers that start the worker: `npm start` is itself a Node.js process, which marks what it inherits as
 * close-on-exec and would take the IPC channel. Here it becomes a pass-through: what it starts on its own terminal
 * gets the listeners and the channel, and becomes the worker. A bundle of its own (bundle.ts). It must not know what a worker does.
 */
import type { AnnouncedListener } from '../../shared/protocol.ts';
import { stopReading } from '../channel-handle.ts';

/** Makes this process hand everything on to what it starts on its own terminal. */
export function passThrough(listeners: readonly AnnouncedListener[]): void {
  // Not closed: the next script may need it too (`prestart`, `start`).
  const channel = stopReading();
  if (channel === null) return;
  // Drain signals go to the worker; one for the whole process group must not end what waits for it.
  process.on('SIGQUIT', () => undefined);

  const childProcess = process.getBuiltinModule('node:child_process');
  const { spawn } = childProcess;
  const replacement = (file: string, ...rest: unknown[]): unknown => {
    const [args, given] = Array.isArray(rest[0]) ? [rest[0], rest[1]] : [[], rest[0]];
    const options: object = typeof given === 'object' && given !== null ? given : {};
    if (!isOnOwnTerminal(Reflect.get(options, 'stdio')))
      return Reflect.apply(spawn, childProcess, [file, ...rest]);
    const environment: unknown = Reflect.get(options, 'env');
    const base = typeof environment === 'object' && environment !== null ? environment : process.env;
    return Reflect.apply(spawn, childProcess, [
      file,
      args,
      {
        ...options,
        stdio: stdioWith(listeners, channel),
        env: { ...base, NODE_CHANNEL_FD: String(channel) },
      },
    ]);
  };
  Object.assign(childProcess, { spawn: replacement });
  process.getBuiltinModule('node:module').syncBuiltinESMExports();
}

/** True for a program that takes over stdin, stdout and stderr: a script, not a helper whose output is read. */
export function isOnOwnTerminal(stdio: unknown): boolean {
  if (stdio === 'inherit') return true;
  if (!Array.isArray(stdio) || stdio.length < 3) return false;
  return stdio.every((entry: unknown, at) => at > 2 || isInherited(entry, at));
}

function isInherited(entry: unknown, at: number): boolean {
  if (entry === 'inherit' || entry === at) return true;
  return typeof entry === 'object' && entry !== null && 'fd' in entry && entry.fd === at;
}

/** Every file descriptor at the same place as here. */
export function stdioWith(listeners: readonly AnnouncedListener[], channel: number): (number | 'ignore')[] {
  const fds = new Set([0, 1, 2, channel, ...listeners.map(({ fd }) => fd)]);
  return Array.from({ length: Math.max(...fds) + 1 }, (_, fd) => (fds.has(fd) ? fd : 'ignore'));
}
