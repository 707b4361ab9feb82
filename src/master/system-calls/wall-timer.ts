/**
 * A timer of the wall clock, timerfd_create(2): it fires when the clock shows a certain time, however that comes: by waiting, because the machine has slept, or
 * because the clock was set. A timer of Node.js waits for a number of milliseconds, and stands still while the machine sleeps. Linux only.
 */
import { randomId } from '../random-id.ts';
import { createServerHandle } from '../sockets/server-handle.ts';

interface TimerCalls {
  readonly create: (clock: number, flags: number) => number;
  readonly setTime: (fd: number, flags: number, time: BigInt64Array, before: null) => number;
}

/** The part of libuv's handle of a pipe that is used here: it polls any descriptor, and reads from it. */
interface PipeHandle {
  open(fd: number): number;
}

let calls: TimerCalls | null = null;

async function load(): Promise<TimerCalls> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const create: TimerCalls['create'] = library.func('int timerfd_create(int, int)');
  const setTime: TimerCalls['setTime'] = library.func(
    'int timerfd_settime(int, int, _In_ int64_t *, void *)',
  );
  return { create, setTime };
}

/** CLOCK_REALTIME. */
const wallClock = 0;
/** TFD_NONBLOCK | TFD_CLOEXEC. */
const flags = 0o4000 | 0o2000000;
/** TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET: also when the clock is set. */
const absoluteOrSet = 1 | 2;

/** Of itimerspec: 64 bits for a number of seconds. */
const isKnown = process.platform === 'linux' && /64|s390x/.test(process.arch);

/**
 * Calls back once when the wall clock shows `at` (ms since 1970), or earlier if it was set. Returns what cancels it; null: there is no such timer here.
 */
export async function openWallTimer(at: number, callback: () => void): Promise<(() => void) | null> {
  if (!isKnown) return null;
  calls ??= await load();
  const fd = calls.create(wallClock, flags);
  if (fd < 0) return null;
  // No interval, then seconds and nanoseconds; all zero would disarm it.
  const seconds = Math.max(0, Math.floor(at / 1_000));
  const nanoseconds = Math.max(1, Math.round((at - seconds * 1_000) * 1e6));
  const time = new BigInt64Array([0n, 0n, BigInt(seconds), BigInt(nanoseconds)]);
  const isArmed = calls.setTime(fd, absoluteOrSet, time, null) === 0;
  const { Socket } = process.getBuiltinModule('node:net');
  const handle = newPipe();
  if (handle === null || handle.open(fd) !== 0) return null;
  const socket = new Socket({ handle, writable: false } as object);
  if (!isArmed) {
    socket.destroy();
    return null;
  }
  const fire = (): void => {
    socket.destroy();
    callback();
  };
  socket.once('data', fire);
  // ECANCELED: the clock was set.
  socket.once('error', fire);
  socket.resume();
  return () => {
    socket.removeAllListeners('data').removeAllListeners('error');
    socket.on('error', () => undefined).destroy();
  };
}

/** Node.js names no way to the class but through a server: at an abstract address, for a moment. */
function newPipe(): PipeHandle | null {
  const create = createServerHandle() as (path: string, port: number, family: number) => unknown;
  const server = create(`\0graceful-run-${randomId()}`, -1, -1);
  if (typeof server !== 'object' || server === null) return null;
  const kind: unknown = server.constructor;
  (server as { close: () => void }).close();
  return typeof kind === 'function' ? (Reflect.construct(kind, [0]) as PipeHandle) : null;
}
