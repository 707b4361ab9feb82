/** System calls about UNIX sockets (unix(7)). Those that are not async need loadSystemCalls(). */
import { lastError, loadedCalls, loadedSocketCalls, loadSystemCalls } from './c-library.ts';
import { afUnix, closeOnExec, sockDatagram, sockNonBlocking, sockStream } from './socket-numbers.ts';

/** socketpair(2): two connected stream sockets, which on Linux no child inherits; or the name of the error. */
export function socketpair(): readonly [number, number] | string {
  const pair = [-1, -1];
  if (loadedCalls()?.socketpair(afUnix, sockStream | closeOnExec, 0, pair) !== 0) return lastError();
  const [one = -1, other = -1] = pair;
  return [one, other];
}

/** socket(2): a UNIX stream socket that is not bound and that no child inherits; or the name of the error. */
export async function openUnixSocket(): Promise<number | string> {
  await loadSystemCalls();
  const made = loadedSocketCalls()?.socket(afUnix, sockStream | closeOnExec | sockNonBlocking, 0) ?? -1;
  return made < 0 ? lastError() : made;
}

/**
 * bind(2) and listen(2) for a socket of `openUnixSocket`. Its file has the permission bits `mode`; null for those that the umask leaves. `bound` is called
 * in between, while no client can connect. Returns null, or the name of the error.
 */
export function listenAtPath(
  fd: number,
  path: string,
  {
    backlog,
    mode,
    bound,
  }: { readonly backlog: number; readonly mode: number | null; readonly bound: () => void },
): string | null {
  const address = unixAddress(path);
  const before = mode === null ? null : process.umask(0o777 & ~mode);
  try {
    if (loadedSocketCalls()?.bind(fd, address, address.length) !== 0) return lastError();
  } finally {
    if (before !== null) process.umask(before);
  }
  bound();
  return loadedCalls()?.listen(fd, backlog) === 0 ? null : lastError();
}

/** A datagram socket that is bound to `path` and that no child inherits. Returns its descriptor, or the name of the error. Only on Linux. */
export function bindDatagram(path: string): number | string {
  return datagramSocket(path, 'bind');
}

/**
 * A datagram socket that sends to the one at `path`, and that no child inherits. Returns its descriptor, or the name of the error: `ENOENT` or
 * `ECONNREFUSED` if no process reads there. Only on Linux.
 */
export function connectDatagram(path: string): number | string {
  return datagramSocket(path, 'connect');
}

function datagramSocket(path: string, use: 'bind' | 'connect'): number | string {
  const calls = loadedSocketCalls();
  if (calls === null || process.platform !== 'linux') return 'ENOSYS';
  const fd = calls.socket(afUnix, sockDatagram | closeOnExec | sockNonBlocking, 0);
  if (fd < 0) return lastError();
  const sockaddr = unixAddress(path);
  if (calls[use](fd, sockaddr, sockaddr.length) === 0) return fd;
  const problem = lastError();
  loadedCalls()?.close(fd);
  return problem;
}

/** A sockaddr_un of Linux or macOS. An abstract name begins with a zero byte, and its length is that of the address. */
function unixAddress(path: string): Buffer {
  const isAbstract = path.startsWith('@');
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  const head = Buffer.alloc(2);
  if (process.platform === 'darwin') head.set([name.length + 2, afUnix]);
  else new Uint16Array(head.buffer, head.byteOffset, 1)[0] = afUnix;
  return Buffer.concat([head, name]);
}
