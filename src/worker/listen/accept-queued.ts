/**
 * Accepts the connections that queued on an undecided listener, which was open to every address until the program asked for some. Each
 * goes to the server that listens on its address, as if it had arrived there; a connection to any other address is closed.
 */
import { monotonicMs } from '../../shared/clock.ts';
import { openInherited, type RawHandle } from '../node-internals/listening-handle.ts';
import { acceptFor } from '../node-internals/server-handles.ts';

/** A connection that was accepted, below `net.Socket`. */
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

/** How long to accept at most: clients that keep connecting to an address on which no server listens must not delay the admission. */
const longestMs = 1_000;

/**
 * Accepts until a whole turn of the event loop has brought no connection, then calls `emptied`. `serverFor` returns the handle of the server
 * that listens on a local address, or null.
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
  const until = monotonicMs() + longestMs;
  handle.onconnection = (status, connection) => {
    if (status !== 0) return;
    accepted += 1;
    // Proven dispatch: libuv accepted it on a TCP listener.
    const one = connection as Accepted;
    unmap(one);
    const local: Address = {};
    const server = one.getsockname(local) === 0 ? serverFor(local.address ?? '') : null;
    if (server?.onconnection === undefined) one.close();
    else acceptFor(server, connection);
  };
  handle.listen(backlog);
  const look = (before: number): void => {
    // Two turns: libuv accepts one connection in each, and the first is the current one.
    setImmediate(() =>
      setImmediate(() => {
        if (accepted !== before && monotonicMs() < until) {
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

/** Makes the connection of an IPv4 client report an IPv4 address, as on a socket for IPv4. */
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
