/**
 * What had queued on the listener that was open to every address, before the program said for which ones it listens: each connection
 * goes to the server that listens on its address, as if it had come there; one that nobody would have answered is closed.
 */
import { openInherited, type RawHandle } from '../node-internals/listening-handle.ts';
import { acceptFor } from '../node-internals/server-handles.ts';

/** An accepted connection, below `net.Socket`. */
interface Accepted {
  getsockname(out: Address): number;
  getpeername(out: Address): number;
  close(): void;
}

interface Address {
  address?: string;
  family?: string;
  port?: number;
}

/** Clients that go on coming to an address for which nothing listens must not hold the admission up. */
const longestMs = 1_000;

/**
 * Accepts until a whole turn of the event loop brought nothing, then calls `emptied`. `serverFor`: the handle of the server that
 * listens on the local address, or null.
 */
export function acceptQueued(
  fd: number,
  backlog: number,
  serverFor: (local: string) => RawHandle | null,
  emptied: () => void,
): void {
  const handle = openInherited(fd);
  if (handle === null) {
    emptied();
    return;
  }
  let accepted = 0;
  const until = performance.now() + longestMs;
  handle.onconnection = (status, connection) => {
    if (status !== 0) return;
    accepted += 1;
    // Proven dispatch: what libuv has accepted on a TCP listener.
    const one = connection as Accepted;
    unmap(one);
    const local: Address = {};
    const server = one.getsockname(local) === 0 ? serverFor(local.address ?? '') : null;
    if (server?.onconnection === undefined) one.close();
    else acceptFor(server, connection);
  };
  handle.listen(backlog);
  const look = (before: number): void => {
    // Two turns: libuv accepts one connection in each, and the first is the one in which we are.
    setImmediate(() =>
      setImmediate(() => {
        if (accepted !== before && performance.now() < until) {
          look(accepted);
          return;
        }
        handle.close();
        emptied();
      }),
    );
  };
  look(-1);
}

/** A client over IPv4 has the address that a socket for IPv4 would say. */
function unmap(accepted: Accepted): void {
  for (const name of ['getsockname', 'getpeername'] as const) {
    const original = accepted[name].bind(accepted);
    accepted[name] = (out) => {
      const status = original(out);
      const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(out.address ?? '') ?? [];
      if (mapped !== undefined) Object.assign(out, { address: mapped, family: 'IPv4' });
      return status;
    };
  }
}
