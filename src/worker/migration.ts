/**
 * Moves connections out of this draining worker into the ones that serve after it: each as soon as it is between two
 * messages, and served here until its turn comes. It must not know how a connection travels (links.ts) nor what
 * becomes of those that stay.
 */
import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import { betweenMessages, hasParser, isForgiven } from './between-messages.ts';
import type { Exchanges } from './exchanges.ts';
import { handleOf, openOutbound, peerOf, type Outbound, type Parcel } from './links.ts';

export interface MigrationParts {
  readonly exchanges: Pick<Exchanges, 'isInFlight'>;
  /** What is accepted and open. */
  readonly open: () => readonly net.Socket[];
  /** Was it accepted, and not made of another one, as TLS is? */
  readonly isAccepted: (socket: net.Socket) => boolean;
  /** The declared listener that the server listens on, or null. */
  readonly listenerOf: (server: net.Server) => string | null;
}

export interface Migration {
  /** The end of a pipe to a worker that adopts, as it came from the master. */
  addSuccessor(end: unknown): void;
  /** Begins to move HTTP/1 connections. `abandoned` is called when there is nobody (any more) to take them. */
  begin(abandoned: () => void): void;
  /** Will the connection leave by itself as soon as it is between two messages? */
  carries(socket: net.Socket): boolean;
  /** Offers a connection of the application's own protocol. Unless it is `taken`, it stays open here. */
  give(socket: net.Socket, gift: Gift): Promise<GiveResult>;
  migrated(): number;
}

/** What goes along with a connection of the application's own protocol. */
export interface Gift {
  /** The handler over there. */
  readonly to: string;
  /** Asked right before the offer, when everything was written; what it throws ends the attempt. */
  readonly state: () => unknown;
  /** Called when it was taken, right before the socket is destroyed here. */
  readonly released: () => void;
}

/** `nobody`: no worker takes it; `notMovable`: it is not an open plain TCP connection. */
export type GiveResult = 'taken' | 'nobody' | 'notMovable';

/** So many offers to one successor may wait for an answer: as many clients wait when it is busy. */
const window = 32;
/** How long the master may take to name a successor. Meanwhile everything is served as ever. */
const patienceMs = 2_000;

/** A connection that was between two messages when so many bytes had come. */
interface Candidate {
  readonly socket: net.Socket;
  readonly bytesRead: number;
}

export function createMigration({ exchanges, open, isAccepted, listenerOf }: MigrationParts): Migration {
  const successors = new Set<Outbound>();
  const inTransit = new Set<net.Socket>();
  const finished = new Set<net.Socket>();
  let queue: Candidate[] = [];
  let migrated = 0;
  let phase: 'before' | 'moving' | 'abandoned' = 'before';
  let abandon: () => void = () => undefined;
  let patience: NodeJS.Timeout | undefined;
  let isCheckDue = false;
  const wanted = new Set<() => void>();

  function destinationOf(socket: net.Socket): string | null {
    const server: unknown = Reflect.get(socket, 'server');
    return typeof server === 'object' && server !== null ? listenerOf(server as net.Server) : null;
  }

  function carries(socket: net.Socket): boolean {
    return phase === 'moving' && isAccepted(socket) && hasParser(socket) && destinationOf(socket) !== null;
  }

  /** Nothing of it is in this process: neither read nor unwritten. */
  function isStill(socket: net.Socket): boolean {
    return (
      socket.readable &&
      socket.writable &&
      socket.readableLength === 0 &&
      socket.writableLength === 0 &&
      handleOf(socket)?.writeQueueSize === 0 &&
      !inTransit.has(socket)
    );
  }

  function canLeave({ socket, bytesRead }: Candidate): boolean {
    return (
      isStill(socket) && hasParser(socket) && socket.bytesRead === bytesRead && !exchanges.isInFlight(socket)
    );
  }

  /** Looks at these, once for all that have finished something in this turn. */
  function check(sockets: Iterable<net.Socket>): void {
    const idle = new Map<net.Server, ReadonlySet<net.Socket>>();
    const isBetween = (socket: net.Socket): boolean => {
      const server = Reflect.get(socket, 'server') as net.Server;
      const known = idle.get(server) ?? betweenMessages(server);
      idle.set(server, known);
      return known.has(socket);
    };
    for (const socket of sockets) {
      if (!carries(socket)) continue;
      const { bytesRead } = socket;
      // Silent from the beginning, or adopted and silent since.
      if (bytesRead === 0 || isBetween(socket)) queue.push({ socket, bytesRead });
    }
    move();
  }

  function checkSoon(socket: net.Socket): void {
    finished.add(socket);
    if (isCheckDue) return;
    isCheckDue = true;
    setImmediate(() => {
      isCheckDue = false;
      const sockets = [...finished];
      finished.clear();
      check(sockets);
    });
  }

  /** The successor that has got the fewest, of those that keep up. */
  function nextSuccessor(): Outbound | null {
    let next: Outbound | null = null;
    for (const one of successors) {
      if (one.inFlight() < window && (next === null || one.offered() < next.offered())) next = one;
    }
    return next;
  }

  function move(): void {
    if (phase !== 'moving') return;
    let at = 0;
    for (; at < queue.length; at += 1) {
      const candidate = queue[at];
      // Busy again: its next response brings it back.
      if (candidate === undefined || !canLeave(candidate)) continue;
      const successor = nextSuccessor();
      if (successor === null) break;
      send(successor, candidate);
    }
    queue = queue.slice(at);
  }

  function send(successor: Outbound, { socket, bytesRead }: Candidate): void {
    const to = destinationOf(socket);
    if (to === null) return;
    const isKept = bytesRead > 0 || isForgiven(socket);
    offer(successor, socket, { kind: 'http', to, isKept, state: null, unread: '' }, (isTaken) => {
      if (isTaken) socket.destroy();
      else if (successors.size > 0) queue.push({ socket, bytesRead });
      move();
    });
  }

  function offer(
    successor: Outbound,
    socket: net.Socket,
    parcel: Omit<Parcel, 'peer' | 'isHalfOpen'>,
    answered: (isTaken: boolean) => void,
  ): void {
    const handle = handleOf(socket);
    const peer = handle === null ? null : peerOf(handle);
    if (handle === null || peer === null) return;
    inTransit.add(socket);
    handle.readStop();
    successor.offer({ ...parcel, peer, isHalfOpen: socket.allowHalfOpen }, handle, (isTaken) => {
      inTransit.delete(socket);
      if (isTaken) migrated += 1;
      else if (!socket.destroyed) handle.readStart();
      answered(isTaken);
    });
  }

  async function successorComes(): Promise<void> {
    let wake: () => void = () => undefined;
    let timeout: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      wanted.add(wake);
      timeout = setTimeout(resolve, patienceMs);
    });
    wanted.delete(wake);
    clearTimeout(timeout);
  }

  /** Nobody is there who could take a connection: for a while, or for good. */
  function waitForSuccessor(): void {
    clearTimeout(patience);
    patience = setTimeout(() => {
      phase = 'abandoned';
      queue = [];
      abandon();
    }, patienceMs);
  }

  return {
    addSuccessor(end) {
      const successor = openOutbound(end, () => {
        if (successor !== null) successors.delete(successor);
        if (successors.size === 0 && phase === 'moving') waitForSuccessor();
      });
      if (successor === null) return;
      successors.add(successor);
      clearTimeout(patience);
      for (const wake of wanted) wake();
      wanted.clear();
      if (phase === 'abandoned') phase = 'moving';
      if (phase === 'moving') check(open());
    },
    begin(abandoned) {
      phase = 'moving';
      abandon = abandoned;
      process
        .getBuiltinModule('node:diagnostics_channel')
        .subscribe('http.server.response.finish', (message) => {
          // Proven dispatch: documented, and the channel is Node.js's own.
          const { request, socket } = message as {
            readonly request: ServerResponse['req'];
            readonly socket: net.Socket;
          };
          checkSoon(socket);
          // Answered before its end: the rest of it is still read.
          if (!request.complete) {
            request.once('close', () => {
              checkSoon(socket);
            });
          }
        });
      if (successors.size === 0) waitForSuccessor();
      else check(open());
    },
    carries,
    async give(socket, { to, state, released }) {
      if (phase === 'before') return 'nobody';
      if (successors.size === 0) await successorComes();
      for (const successor of successors) {
        await written(socket);
        if (socket.destroyed || handleOf(socket) === null) return 'notMovable';
        const content = state();
        const unread = readAll(socket);
        const parcel = {
          kind: 'own',
          to,
          isKept: false,
          state: content,
          unread: unread.toString('base64'),
        } as const;
        const isTaken = await new Promise<boolean>((resolve) => {
          offer(successor, socket, parcel, (taken) => {
            if (taken) {
              released();
              socket.destroy();
            } else if (unread.length > 0 && !socket.destroyed) socket.unshift(unread);
            resolve(taken);
          });
        });
        if (isTaken) return 'taken';
      }
      return 'nobody';
    },
    migrated: () => migrated,
  };
}

function readAll(socket: net.Socket): Buffer {
  const data: unknown = socket.readableLength > 0 ? socket.read() : null;
  return Buffer.isBuffer(data) ? data : Buffer.alloc(0);
}

/** Resolves when nothing waits to be written any more, or the socket is no more. */
function written(socket: net.Socket): Promise<void> {
  if (socket.destroyed || socket.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    socket.write('', () => {
      resolve();
    });
  });
}
