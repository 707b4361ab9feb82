/**
 * Moves connections out of this draining worker into the ones that serve after it: each as soon as it is between two
 * messages, and served here until its turn comes. It must not know how a connection travels (links.ts) nor what
 * becomes of those that stay.
 */
import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import { holdReading } from '../node-internals/handle-pipe.ts';
import {
  betweenMessages,
  betweenMessagesAgain,
  hasParser,
  hasSkipped,
  type IsBetween,
} from '../node-internals/between-messages.ts';
import type { Connections } from '../tracking/connections.ts';
import type { Requests } from '../tracking/requests.ts';
import { giveAway, type Gift, type GiveResult } from './give-connection.ts';
import { createPace, type Pace } from './pace.ts';
import { handleOf, leastOffered, peerOf, type Outbound, type Parcel } from './links.ts';
import { bytesReadHere, hasStateOfApplication, readSocketState } from '../node-internals/socket-state.ts';
import { createSuccessors } from './destinations.ts';
import { createTurns } from './concurrency-limit.ts';

export interface MigrationParts {
  readonly requests: Pick<Requests, 'isInFlight' | 'requestsOn'>;
  readonly connections: Pick<Connections, 'open' | 'isAccepted'>;
  /** The declared listener that the server listens on, or null. */
  readonly listenerOf: (server: net.Server) => string | null;
}

export interface Migration {
  /** The end of a pipe to a worker that adopts, as it came from the master; `more` are about to come. */
  addSuccessor(end: unknown, more: number): void;
  /** Begins to move HTTP/1 connections, those that can within so many milliseconds from when somebody is there, or less. */
  begin(withinMs: number, events: MigrationEvents): void;
  /** Will the connection leave by itself as soon as it is between two messages? */
  carries(socket: net.Socket): boolean;
  /** Offers a connection of the application's own protocol. Unless it is `taken`, it stays open here. */
  give(socket: net.Socket, gift: Gift): Promise<GiveResult>;
  migrated(): number;
}

export interface MigrationEvents {
  /** There is nobody (any more) to take connections. */
  abandoned(): void;
  /** Somebody has come after all. */
  resumed(): void;
}

/** So many offers to one successor, and so many of own protocols, may wait for an answer: as many clients wait when it is busy. */
const window = 64;
/** All that can move have moved in so long: see docs/adr/0012-the-tail.md. */
const spreadMs = 250;
/** How often it is looked whether more may move. */
const tickMs = 10;

/** A connection that was between two messages when so many bytes had come. */
interface Candidate {
  readonly socket: net.Socket;
  readonly bytesRead: number;
}

export function createMigration({ requests, connections, listenerOf }: MigrationParts): Migration {
  const successors = createSuccessors({
    introduced() {
      // Others have come: whoever was refused by all is offered once more.
      refusals = new WeakMap();
      if (phase === 'abandoned') {
        phase = 'moving';
        events.resumed();
      }
      if (phase === 'moving') beginToMove();
    },
    missing() {
      phase = 'abandoned';
      queue = [];
      events.abandoned();
    },
  });
  const turns = createTurns(window);
  const inTransit = new Set<net.Socket>();
  /** Who did not take it, for each connection that somebody has refused. */
  let refusals = new WeakMap<net.Socket, Set<Outbound>>();
  const finished = new Set<net.Socket>();
  let queue: Candidate[] = [];
  /** The first in the queue whose turn has not come. */
  let next = 0;
  let moves = 0;
  let pace: Pace | null = null;
  let isMoveDue = false;
  let migrated = 0;
  let phase: 'before' | 'moving' | 'abandoned' = 'before';
  let events: MigrationEvents = { abandoned: () => undefined, resumed: () => undefined };
  let paceMs = spreadMs;
  let isCheckDue = false;

  function destinationOf(socket: net.Socket): string | null {
    const server: unknown = Reflect.get(socket, 'server');
    return typeof server === 'object' && server !== null ? listenerOf(server as net.Server) : null;
  }

  function carries(socket: net.Socket): boolean {
    return mayMove(socket) && !hasStateOfApplication(socket);
  }

  /** Apart from what is looked at in the last moment only. */
  function mayMove(socket: net.Socket): boolean {
    return (
      phase === 'moving' &&
      connections.isAccepted(socket) &&
      hasParser(socket) &&
      destinationOf(socket) !== null &&
      !isRefusedByAll(socket)
    );
  }

  function isRefusedByAll(socket: net.Socket): boolean {
    const refused = refusals.get(socket);
    return refused !== undefined && successors.list().every((one) => refused.has(one));
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
      isStill(socket) &&
      hasParser(socket) &&
      bytesReadHere(socket) === bytesRead &&
      !requests.isInFlight(socket) &&
      !hasStateOfApplication(socket)
    );
  }

  /** Looks at these, once for all that have finished something in this turn. */
  function check(sockets: Iterable<net.Socket>, look: (server: net.Server) => IsBetween): void {
    const known = new Map<net.Server, IsBetween>();
    const isBetween = (socket: net.Socket): boolean => {
      const server = Reflect.get(socket, 'server') as net.Server;
      const isIt = known.get(server) ?? look(server);
      known.set(server, isIt);
      return isIt(socket);
    };
    for (const socket of sockets) {
      if (!mayMove(socket)) continue;
      const bytesRead = bytesReadHere(socket);
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
      check(sockets, betweenMessagesAgain);
    });
  }

  /** The successor that has got the fewest, of those that keep up and have not refused this one. */
  function nextSuccessor(socket: net.Socket): Outbound | null {
    const refused = refusals.get(socket);
    return leastOffered(
      successors.list().filter((one) => one.inFlight() < window && refused?.has(one) !== true),
    );
  }

  function move(): void {
    if (phase !== 'moving' || !successors.areThere()) return;
    const allowed = pace?.allowed(performance.now()) ?? Infinity;
    for (; next < queue.length; next += 1) {
      if (moves >= allowed) {
        moveLater();
        return;
      }
      const candidate = queue[next];
      if (candidate === undefined || isRefusedByAll(candidate.socket)) continue;
      if (!canLeave(candidate)) {
        // Busy again, and its next response brings it back; or what came is no request, such as an empty line.
        if (bytesReadHere(candidate.socket) !== candidate.bytesRead) checkSoon(candidate.socket);
        continue;
      }
      const successor = nextSuccessor(candidate.socket);
      if (successor === null) return;
      moves += 1;
      send(successor, candidate);
    }
    queue = [];
    next = 0;
  }

  function moveLater(): void {
    if (isMoveDue) return;
    isMoveDue = true;
    setTimeout(() => {
      isMoveDue = false;
      move();
    }, tickMs);
  }

  function send(successor: Outbound, { socket, bytesRead }: Candidate): void {
    const to = destinationOf(socket);
    if (to === null) return;
    const isKept = bytesRead > 0 || hasSkipped(socket);
    const known = readSocketState(socket, requests.requestsOn(socket));
    offer(successor, socket, { kind: 'http', to, isKept, socket: known }, (isTaken) => {
      if (isTaken) {
        socket.destroy();
      } else {
        // One that is gone, or goes, has refused nothing.
        if (successors.has(successor)) {
          const refused = refusals.get(socket) ?? new Set();
          refusals.set(socket, refused.add(successor));
        }
        queue.push({ socket, bytesRead });
      }
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
    const readOn = holdReading(handle);
    successor.offer({ ...parcel, peer, isHalfOpen: socket.allowHalfOpen }, handle, (isTaken) => {
      inTransit.delete(socket);
      if (isTaken) migrated += 1;
      else if (!socket.destroyed) readOn();
      answered(isTaken);
    });
  }

  function beginToMove(): void {
    const sockets = connections.open().filter(mayMove);
    pace = createPace(sockets.length, performance.now(), paceMs);
    moves = 0;
    queue = [];
    next = 0;
    check(sockets, betweenMessages);
  }

  return {
    addSuccessor(end, more) {
      successors.add(end, more);
    },
    begin(withinMs, given) {
      phase = 'moving';
      events = given;
      paceMs = Math.min(spreadMs, withinMs);
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
      successors.expect();
      if (successors.areThere()) beginToMove();
    },
    carries,
    async give(socket, gift) {
      if (phase === 'before') return 'nobody';
      return giveAway(
        socket,
        gift,
        { successors, turns },
        {
          begun: () => inTransit.add(socket),
          ended: (isTaken) => {
            inTransit.delete(socket);
            if (isTaken) migrated += 1;
          },
        },
      );
    },
    migrated: () => migrated,
  };
}
