/**
 * Sockets that may still be open, kept at no cost for each: nobody listens for their end before somebody waits for it, and
 * those that have ended are dropped now and then. A Set with a 'close' listener on each socket cost connections that
 * bring a single request 3 % of their throughput. It must not know what the sockets are for.
 */
import type net from 'node:net';

export interface OpenSockets {
  add(socket: net.Socket): void;
  has(socket: net.Socket): boolean;
  list(): net.Socket[];
  /** The one that was added last, if it may still be open. */
  last(): net.Socket | null;
  /** Resolves as soon as none is open. */
  whenNone(): Promise<void>;
}

/** Kept at least, before the first look for those that have ended. */
const smallest = 64;

export function createOpenSockets(): OpenSockets {
  const marks = createMarks();
  let sockets: net.Socket[] = [];
  let limit = smallest;
  /** How many are open, from the moment on that somebody waits for the last one. */
  let left = 0;
  let wake: (() => void) | null = null;

  /** Each socket is looked at once or twice in its life: half of those at the limit are new. */
  function sweep(): void {
    sockets = sockets.filter(({ closed }) => !closed);
    limit = Math.max(smallest, 2 * sockets.length);
  }

  function awaitEnd(socket: net.Socket): void {
    left += 1;
    socket.once('close', () => {
      left -= 1;
      if (left === 0) wake?.();
    });
  }

  return {
    add(socket) {
      marks.add(socket);
      sockets.push(socket);
      if (wake !== null) awaitEnd(socket);
      if (sockets.length >= limit) sweep();
    },
    has: (socket) => marks.has(socket),
    list() {
      sweep();
      return [...sockets];
    },
    last: () => sockets.at(-1) ?? null,
    whenNone() {
      return new Promise((resolve) => {
        sweep();
        wake = resolve;
        for (const socket of sockets) awaitEnd(socket);
        if (left === 0) resolve();
      });
    },
  };
}

/**
 * The members of a set, noted at the handle below each socket, where nobody looks who looks at the socket: a WeakSet costs each
 * connection more. Those without a handle are in one.
 */
function createMarks(): { add(socket: net.Socket): void; has(socket: net.Socket): boolean } {
  const mark = Symbol('graceful-run.open');
  const others = new WeakSet<net.Socket>();
  const handleOf = (socket: net.Socket): { [mark]?: true } | null => {
    const handle: unknown = Reflect.get(socket, '_handle');
    return typeof handle === 'object' ? handle : null;
  };
  return {
    add(socket) {
      const handle = handleOf(socket);
      if (handle === null) others.add(socket);
      else handle[mark] = true;
    },
    has: (socket) => handleOf(socket)?.[mark] === true || others.has(socket),
  };
}
