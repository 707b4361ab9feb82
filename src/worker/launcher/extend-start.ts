/**
 * Extends the start of a process that may become the worker in the place of this one, so that it gets the descriptors and variables that
 * this process got. Pure.
 */
import { isRecord, type AnnouncedListener } from '../../shared/protocol.ts';
import type { ExtendedStart, StartedProcess } from '../node-internals/process-starts.ts';
import { withoutPreload, withPreload } from '../../shared/node-options.ts';

export interface Inherited {
  readonly listeners: readonly AnnouncedListener[];
  /** The descriptor of the channel. */
  readonly channel: number;
  /** Graceful-run's own variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** The name of the variable that holds the listeners. */
  readonly listenersVariable: string;
  readonly preloadPath: string;
}

/**
 * True for a process that may become the worker. It uses stdout and stderr of this process, unless this process is a command of a package
 * (concurrently), which may read and forward its output. Processes of `cluster` are left alone.
 */
export function mayBecomeWorker({ stdio, pairs }: Omit<StartedProcess, 'file'>, isCommand: boolean): boolean {
  if (pairs.some((pair) => pair.startsWith('NODE_UNIQUE_ID='))) return false;
  return isCommand || isOnOwnTerminal(stdio);
}

/** True for a process that uses stdout and stderr of this one: a script, and not a helper whose output is read. */
export function isOnOwnTerminal(stdio: unknown): boolean {
  if (stdio === 'inherit') return true;
  return Array.isArray(stdio) && [1, 2].every((at) => isInherited(stdio[at], at));
}

function isInherited(entry: unknown, at: number): boolean {
  if (entry === 'inherit' || entry === at) return true;
  return isRecord(entry) && entry['fd'] === at;
}

/**
 * Adds the descriptors and variables. Descriptors keep their numbers unless the program uses these for something else. If the program has
 * a channel to the process, that one becomes `process.channel` there, and the channel to the master gets another descriptor.
 */
export function extendStart(
  { file, stdio, pairs }: StartedProcess,
  { listeners, channel, variables, listenersVariable, preloadPath }: Inherited,
): ExtendedStart {
  const given: readonly unknown[] = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio];
  const placed = listeners.map((listener, at) => ({
    ...listener,
    fd: given.length <= 3 ? listener.fd : given.length + at,
  }));
  const channelAt = Math.max(2, ...placed.map(({ fd }) => fd)) + 1;
  const extended = Array.from({ length: channelAt + 1 }, (_, at) =>
    at < given.length ? given[at] : 'ignore',
  );
  placed.forEach(({ fd }, at) => (extended[fd] = listeners[at]?.fd));
  extended[channelAt] = channel;
  const options = withoutPreload(valueOf(pairs, 'NODE_OPTIONS') ?? '', preloadPath);
  return {
    stdio: extended,
    pairs: withVariables(pairs, {
      ...variables,
      [listenersVariable]: JSON.stringify(placed),
      ...(given.includes('ipc') ? {} : { NODE_CHANNEL_FD: String(channelAt) }),
      NODE_OPTIONS: withPreload(options, preloadPath),
      ...pathFor(file, valueOf(pairs, 'PATH'), preloadPath),
    }),
  };
}

function valueOf(pairs: readonly string[], name: string): string | undefined {
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

function withVariables(pairs: readonly string[], variables: Readonly<Record<string, string>>): string[] {
  const kept = pairs.filter((pair) => !Object.hasOwn(variables, pair.slice(0, pair.indexOf('='))));
  return [...kept, ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
}

const shells = /(^|\/)(sh|bash|dash|zsh|ksh|ash)$/;

/** The PATH for a shell, which may set NODE_OPTIONS: first in it is a `node` that loads the preload anyway. */
function pathFor(file: unknown, path: string | undefined, preloadPath: string): { PATH?: string } {
  if (path === undefined || typeof file !== 'string' || !shells.test(file)) return {};
  const folder = shimFolder(preloadPath);
  return { PATH: [folder, ...path.split(':').filter((other) => other !== folder)].join(':') };
}

/** The directory of that `node`. */
export function shimFolder(preloadPath: string): string {
  return preloadPath.replace(/[^/]+$/, 'shim');
}
