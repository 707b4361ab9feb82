/** System calls about descendants: this process adopts those that lose their parent, and reaps them when they end. Linux only. */
import { loadLibrary } from './c-library.ts';

interface ChildCalls {
  readonly prctl: (option: number, ...rest: readonly (string | number)[]) => number;
  readonly waitid: (kind: number, id: number, info: Uint8Array, options: number) => number;
  readonly waitpid: (pid: number, status: Int32Array, options: number) => number;
}

let calls: ChildCalls | null = null;

async function load(): Promise<ChildCalls> {
  const library = await loadLibrary();
  const prctl: ChildCalls['prctl'] = library.func('int prctl(int, ...)');
  const waitid: ChildCalls['waitid'] = library.func('int waitid(int, unsigned int, _Out_ uint8_t *, int)');
  const waitpid: ChildCalls['waitpid'] = library.func('int waitpid(int, _Out_ int *, int)');
  return { prctl, waitid, waitpid };
}

/** PR_SET_CHILD_SUBREAPER of prctl(2). */
const setChildSubreaper = 36;

/** Makes this process the parent of every descendant that loses its own parent, so that none gets out of sight. Does nothing on systems other than Linux. */
export async function adoptOrphans(): Promise<void> {
  if (process.platform !== 'linux') return;
  calls ??= await load();
  const zero = ['unsigned long', 0] as const;
  calls.prctl(setChildSubreaper, 'unsigned long', 1, ...zero, ...zero, ...zero);
}

const all = 0;
const withoutWaiting = 1;
const thatHaveEnded = 4;
const withoutReaping = 0x1_000_000;
/** The offset of the pid in siginfo_t. The union that contains it is aligned like a pointer. */
const pidOffset = /64|s390x/.test(process.arch) ? 16 : 12;

/** waitid(2): a child of this process that has ended and was not reaped; null if there is none. Only after `adoptOrphans` has been called. */
export function findEndedChild(): number | null {
  if (calls === null) return null;
  const info = new Uint8Array(128);
  if (calls.waitid(all, 0, info, withoutWaiting | thatHaveEnded | withoutReaping) !== 0) return null;
  const pid = new DataView(info.buffer).getInt32(pidOffset, isLittleEndian);
  return pid === 0 ? null : pid;
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** waitid(2): whether this process has any child. Only after `adoptOrphans` has been called. */
export function hasChildren(): boolean {
  return calls?.waitid(all, 0, new Uint8Array(128), withoutWaiting | thatHaveEnded | withoutReaping) === 0;
}

/** waitpid(2): reaps one child that has ended, and returns its status. */
export function reap(pid: number): number {
  const status = new Int32Array(1);
  calls?.waitpid(pid, status, withoutWaiting);
  return status[0] ?? 0;
}
