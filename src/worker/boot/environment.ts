/**
 * Reads what the environment says about this worker, checked by hand: a validation library would cost the boot of every worker more than
 * everything else. Changes nothing in the environment.
 */
import { longestTimerMs } from '../../shared/durations.ts';
import { env, isRecord, type AnnouncedListener, type HealthOrder } from '../../shared/protocol.ts';

/** The drain timeout if the environment has none. */
export const defaultDrainTimeoutMs = 30_000;

export interface Settings {
  readonly generation: number;
  /** The worker's place among the program's workers, from 0. */
  readonly slot: number;
  readonly listeners: readonly AnnouncedListener[];
  readonly drainTimeoutMs: number;
  /** How long the worker goes on serving after its master was killed, in ms. */
  readonly rescueMs: number;
  /** The pid of the master, or null if the master has not set it. */
  readonly masterPid: number | null;
  /** The name of the lock that lets one process read the channel (channel-lock.ts), or null if the master has not set it. */
  readonly channelLock: string | null;
  /** The number of requests after which the worker is replaced, or null if it is not replaced because of them. */
  readonly maxRequests: number | null;
  /** The health check that readiness waits for, or null if the worker is ready as soon as it listens. */
  readonly health: HealthOrder | null;
}

/** The settings that the master has put into the environment; null if they are missing, or are not what a master writes. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings | null {
  const text = environment[env.listeners];
  if (text === undefined) return null;
  const listeners = readListeners(text);
  if (listeners === null) return null;
  const health = readHealth(environment[env.health]);
  if (health === undefined) return null;
  return {
    generation: readWhole(environment[env.generation]) ?? 0,
    slot: readWhole(environment[env.worker]) ?? 0,
    listeners,
    drainTimeoutMs: readDrainTimeout(environment),
    rescueMs: readWhole(environment[env.rescue], longestTimerMs) ?? 0,
    masterPid: readWhole(environment[env.master], 2 ** 31 - 1),
    channelLock: environment[env.channelLock] ?? null,
    maxRequests: readWhole(environment[env.maxRequests]),
    health,
  };
}

/** The drain timeout of the environment, in ms, or the default. */
export function readDrainTimeout(environment: NodeJS.ProcessEnv): number {
  const ms = Number(environment[env.drainTimeout] ?? NaN);
  return Number.isFinite(ms) && ms >= 0 ? ms : defaultDrainTimeoutMs;
}

/** Reads a positive whole number; null if the text is not one. */
function readWhole(text: string | undefined, most: number = Number.MAX_SAFE_INTEGER): number | null {
  const number = Number(text ?? NaN);
  return isWhole(number, 1, most) ? number : null;
}

/** A listener that the main thread has inherited, of TCP or UDP. */
export interface MainThreadListener {
  readonly port: number;
  readonly fd: number;
}

/** Returns the listeners with a port that the main thread has inherited, if this is a worker thread; in a main thread, none. */
export function listenersOfMainThread(environment: NodeJS.ProcessEnv): readonly MainThreadListener[] {
  // Descendants inherit the variable as well, but have another pid.
  if (environment['LISTEN_PID'] !== String(process.pid)) return [];
  if (process.getBuiltinModule('node:worker_threads').isMainThread) return [];
  // The format is `host:port=fd;host:port=fd`.
  return (environment['SERVER_STARTER_PORT'] ?? '').split(';').flatMap((entry) => {
    const [, port, fd] = /:(\d+)=(\d+)$/.exec(entry) ?? [];
    return port === undefined ? [] : [{ port: Number(port), fd: Number(fd) }];
  });
}

/** Reads the order to check the health; undefined if it is invalid, because a worker that ignored it would be ready too early. */
function readHealth(text: string | undefined): HealthOrder | null | undefined {
  if (text === undefined) return null;
  const value = parse(text);
  return isHealthOrder(value) ? value : undefined;
}

function readListeners(text: string): AnnouncedListener[] | null {
  const value = parse(text);
  return Array.isArray(value) && value.every(isListener) ? value : null;
}

/** Parses JSON; undefined if it is not valid. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isHealthOrder(value: unknown): value is HealthOrder {
  if (!isRecord(value)) return false;
  const { path, warmup, readyTimeoutMs } = value;
  return (
    typeof path === 'string' &&
    path.startsWith('/') &&
    isWhole(warmup, 0, 2 ** 31 - 1) &&
    isWhole(readyTimeoutMs, 0, longestTimerMs)
  );
}

function isListener(value: unknown): value is AnnouncedListener {
  if (!isRecord(value)) return false;
  const { name, type, host, path, fd, port, backlog, inode } = value;
  return (
    typeof name === 'string' &&
    (type === 'unix'
      ? typeof path === 'string'
      : (type === 'tcp' || type === 'udp') && typeof host === 'string' && isWhole(port, 1, 65_535)) &&
    isWhole(fd, 3, 2 ** 20) &&
    isWhole(backlog, 0, 2 ** 31 - 1) &&
    (inode === undefined || isWhole(inode, 1, Number.MAX_SAFE_INTEGER))
  );
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}
