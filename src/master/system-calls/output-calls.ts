/** The system calls for writing without waiting, whatever the flags of the descriptor are (nonblocking-descriptor.ts). Loaded with koffi. */
import { constants } from 'node:os';
import { lastError, loadLibrary } from './c-library.ts';

interface OutputCalls {
  readonly send: (fd: number, bytes: Uint8Array, length: number, flags: number) => number;
  readonly poll: (wanted: Uint8Array, count: number, timeoutMs: number) => number;
  readonly signalMask: (how: number, set: Uint8Array, previous: Uint8Array | null) => number;
  /** Exists only on Linux. */
  readonly splice:
    | ((from: number, fromOffset: null, to: number, toOffset: null, length: number, flags: number) => number)
    | null;
  readonly pipe: ((pair: number[], flags: number) => number) | null;
}

const isLinux = process.platform === 'linux';

let calls: OutputCalls | null = null;

/** Loads the calls. Has to be called once: before, the functions of this file return ENOSYS. */
export async function loadOutputCalls(): Promise<void> {
  calls ??= await load();
}

async function load(): Promise<OutputCalls> {
  const library = await loadLibrary();
  const send: OutputCalls['send'] = library.func('long send(int, const void *, size_t, int)');
  const poll: OutputCalls['poll'] = library.func('int poll(_Inout_ void *, unsigned long, int)');
  const signalMask: OutputCalls['signalMask'] = library.func(
    'int pthread_sigmask(int, const void *, _Out_ void *)',
  );
  const splice: OutputCalls['splice'] = isLinux
    ? library.func('long splice(int, void *, int, void *, size_t, unsigned int)')
    : null;
  const pipe2: OutputCalls['pipe'] = isLinux ? library.func('int pipe2(_Out_ int *, int)') : null;
  return { send, poll, signalMask, splice, pipe: pipe2 };
}

// MSG_DONTWAIT, and on Linux MSG_NOSIGNAL; Node.js ignores SIGPIPE.
const sendWithoutWaiting = isLinux ? 0x4040 : 0x80;

/** send(2) on a socket: sends as much as fits. Returns how many bytes were sent, or the name of the error. */
export function sendNow(fd: number, bytes: Uint8Array): number | string {
  if (calls === null) return 'ENOSYS';
  const sent = calls.send(fd, bytes, bytes.length, sendWithoutWaiting);
  return sent >= 0 ? sent : lastError();
}

const pollOut = 4;

/** poll(2): waits until `fd` accepts more bytes (or has an error that a write would report), for at most `timeoutMs`. */
export function pollWritable(fd: number, timeoutMs: number): boolean {
  if (calls === null) return true;
  const wanted = Buffer.alloc(8);
  wanted.writeInt32LE(fd, 0);
  wanted.writeInt16LE(pollOut, 4);
  return calls.poll(wanted, 1, timeoutMs) > 0;
}

const closeOnExec = 0o2_000_000;
const nonBlocking = 0o4_000;

/**
 * pipe2(2): a pipe that no child inherits, the end to read from first; or the name of the error. `waits`: whether reads and writes wait until the other
 * end is ready.
 */
export function pipe({ waits }: { readonly waits: boolean }): readonly [number, number] | string {
  if (calls?.pipe == null) return 'ENOSYS';
  const pair = [-1, -1];
  if (calls.pipe(pair, waits ? closeOnExec : closeOnExec | nonBlocking) !== 0) return lastError();
  const [one = -1, other = -1] = pair;
  return [one, other];
}

// SPLICE_F_NONBLOCK
const spliceWithoutWaiting = 2;

/** splice(2) from a pipe to a pipe: moves as much as fits. Returns how many bytes were moved, or the name of the error. */
export function spliceNow(from: number, to: number, length: number): number | string {
  if (calls?.splice == null) return 'ENOSYS';
  const moved = calls.splice(from, null, to, null, length, spliceWithoutWaiting);
  return moved >= 0 ? moved : lastError();
}

// SIG_BLOCK, SIG_SETMASK
const [blockSignals, setSignals] = isLinux ? [0, 2] : [1, 3];

/**
 * Calls `action` while SIGTTOU is blocked in this thread. A write to the terminal from a background job is then carried out: with `stty tostop` it would
 * otherwise stop the process or, if there is a handler, be restarted forever.
 */
export function withoutBackgroundStop<Result>(action: () => Result): Result {
  if (calls === null) return action();
  const previous = Buffer.alloc(128);
  const stop = Buffer.alloc(128);
  const bit = constants.signals.SIGTTOU - 1;
  stop[bit >> 3] = 1 << (bit & 7);
  calls.signalMask(blockSignals, stop, previous);
  try {
    return action();
  } finally {
    calls.signalMask(setSignals, previous, null);
  }
}
