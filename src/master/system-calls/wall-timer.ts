/**
 * A timer of the wall clock, timerfd_create(2). It fires when the clock shows a certain time, whatever the reason is: waiting, a sleep of the machine, or
 * a change of the clock. A timer of Node.js waits for a number of milliseconds, and stands still while the machine sleeps. Linux only.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { emptyPipe } from '../sockets/empty-pipe.ts';
import { loadLibrary } from './c-library.ts';

interface TimerCalls {
  readonly create: (clock: number, flags: number) => number;
  readonly setTime: (fd: number, flags: number, time: BigInt64Array, before: null) => number;
}

let calls: TimerCalls | null = null;

async function load(): Promise<TimerCalls> {
  const library = await loadLibrary();
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
/**
 * TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET: the timer also fires when the clock is set.
 */
const absoluteOrSet = 1 | 2;

/** Whether the layout of itimerspec is known: a number of seconds has 64 bits. */
const isKnown = process.platform === 'linux' && /64|s390x/.test(process.arch);

/**
 * Calls back once when the wall clock shows `at` (ms since 1970), or earlier if it was set. Returns a function that cancels it; null if there is no such
 * timer on this machine.
 */
export async function openWallTimer(at: number, callback: () => void): Promise<(() => void) | null> {
  if (!isKnown) return null;
  calls ??= await load();
  const fd = calls.create(wallClock, flags);
  if (fd < 0) return null;
  // The interval is zero; then come seconds and nanoseconds. If both were zero, the timer would be disarmed.
  const seconds = Math.max(0, Math.floor(at / 1_000));
  const nanoseconds = Math.max(1, Math.round((at - seconds * 1_000) * 1e6));
  const time = new BigInt64Array([0n, 0n, BigInt(seconds), BigInt(nanoseconds)]);
  const handle = emptyPipe();
  if (handle === null || calls.setTime(fd, absoluteOrSet, time, null) !== 0 || handle.open(fd) !== 0) {
    closeSync(fd);
    return null;
  }
  const socket = new Socket({ handle, writable: false } as object);
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
