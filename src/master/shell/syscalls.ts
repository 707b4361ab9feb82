/**
 * The system calls that Node.js does not offer. The one file that knows koffi, which is loaded at the first call.
 */
import { systemErrorCode } from './system-errors.ts';

type Listen = (fd: number, backlog: number) => number;
type Fcntl = (fd: number, command: number, type: 'int', argument: number) => number;
type SocketPair = (domain: number, type: number, protocol: number, pair: number[]) => number;

interface Calls {
  readonly listen: Listen;
  readonly fcntl: Fcntl;
  readonly socketpair: SocketPair;
  readonly errno: () => number;
}

let calls: Calls | null = null;

async function load(): Promise<Calls> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const listen: Listen = library.func('int listen(int, int)');
  const fcntl: Fcntl = library.func('int fcntl(int, int, ...)');
  const socketpair: SocketPair = library.func('int socketpair(int, int, int, _Out_ int *)');
  return { listen, fcntl, socketpair, errno: () => koffi.errno() };
}

/**
 * listen(2): makes the bound socket `fd` a listening one, without anybody polling or accepting.
 * Called again, it only changes the length of the queue. Returns null, or the name of the error (`EADDRINUSE` …).
 */
export async function listen(fd: number, backlog: number): Promise<string | null> {
  calls ??= await load();
  return calls.listen(fd, backlog) === 0 ? null : systemErrorCode(calls.errno());
}

/** F_DUPFD_CLOEXEC: nobody inherits it. */
const duplicateCloseOnExec = process.platform === 'linux' ? 1030 : 67;

/** fcntl(2): another descriptor of the same; or the name of the error. Only after `listen` has been called. */
export function duplicate(fd: number): number | string {
  if (calls === null) return 'ENOSYS';
  const copy = calls.fcntl(fd, duplicateCloseOnExec, 'int', 0);
  return copy >= 0 ? copy : systemErrorCode(calls.errno());
}

const afUnix = 1;
const sockStream = 1;
/** Nobody inherits them: a worker that is spawned later would keep a pair alive. Only on Linux. */
const closeOnExec = process.platform === 'linux' ? 0o2_000_000 : 0;

/** socketpair(2): two connected stream sockets; or the name of the error. Only after `listen` has been called. */
export function socketpair(): readonly [number, number] | string {
  if (calls === null) return 'ENOSYS';
  const pair = [-1, -1];
  if (calls.socketpair(afUnix, sockStream | closeOnExec, 0, pair) !== 0)
    return systemErrorCode(calls.errno());
  const [one = -1, other = -1] = pair;
  return [one, other];
}
