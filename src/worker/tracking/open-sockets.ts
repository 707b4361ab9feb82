/**
 * A collection of sockets that may still be open, cheap for each of them: it listens for their end only while `whenNone` waits, and
 * drops closed ones now and then. A Set and a 'close' listener on each socket reduced the throughput of connections with a single
 * request by 3 %.
 */
import type net from 'node:net';
import { rawHandleOf } from '../node-internals/raw-handle.ts';

export interface OpenSockets {
  add(socket: net.Socket): void;
  has(socket: net.Socket): boolean;
  list(): net.Socket[];
  /** Returns the socket that was added last, or null if it has been dropped. */
  last(): net.Socket | null;
  /** Resolves as soon as no socket is open. */
  whenNone(): Promise<void>;
}

/** The number of sockets below which none of them is checked. */
const smallestLimit = 64;

export function createOpenSockets(): OpenSockets {
  const marks = createMarks();
  let sockets: net.Socket[] = [];
  let limit = smallestLimit;
  /** The number of sockets that are open, counted from the call of `whenNone` on. */
  let left = 0;
  let wake: (() => void) | null = null;

  /** Checks each socket once or twice in its life, because at least half of the sockets at the limit are new. */
  function sweep(): void {
    sockets = sockets.filter(({ closed }) => !closed);
    limit = Math.max(smallestLimit, 2 * sockets.length);
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
 * A set of sockets that marks the handle of each, which is cheaper than a WeakSet, and does not show when the socket is printed. A
 * WeakSet holds the sockets without a handle.
 */
function createMarks(): { add(socket: net.Socket): void; has(socket: net.Socket): boolean } {
  const mark = Symbol('graceful-run.open');
  const others = new WeakSet<net.Socket>();
  const markedHandleOf = (socket: net.Socket): { [mark]?: true } | null => {
    const handle = rawHandleOf(socket);
    return typeof handle === 'object' ? handle : null;
  };
  return {
    add(socket) {
      const handle = markedHandleOf(socket);
      if (handle === null) others.add(socket);
      else handle[mark] = true;
    },
    has: (socket) => markedHandleOf(socket)?.[mark] === true || others.has(socket),
  };
}
