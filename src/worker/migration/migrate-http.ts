/**
 * Decides when each HTTP/1 connection of a draining worker migrates, and to which destination, and offers it. All idle connections leave
 * within a quarter of a second, few at first, and each is served here until its turn comes (docs/adr/0012-the-tail.md). Which
 * connections can migrate is decided in movable-connections.ts.
 */
import { monotonicMs } from '../../shared/clock.ts';
import type { ServerResponse } from 'node:http';
import type net from 'node:net';
import {
  betweenMessages,
  betweenMessagesAfterResponse,
  hasSkippedFirstMessage,
  type IsBetween,
} from '../node-internals/between-messages.ts';
import { holdReading, identityOf, connectionHandleOf } from '../node-internals/connection-handle.ts';
import {
  bytesReadByThisWorker,
  hasStateOfApplication,
  readSocketState,
} from '../node-internals/socket-state.ts';
import type { Connections } from '../tracking/connections.ts';
import type { Requests } from '../tracking/requests.ts';
import { leastOffered, type Destinations } from './destinations.ts';
import {
  candidatesAmong,
  canLeave,
  listenerOfSocket,
  mayMove,
  type Candidate,
  type MovableParts,
} from './movable-connections.ts';
import type { Destination } from './source-end.ts';

export interface HttpMigrationParts extends MovableParts {
  readonly requests: Pick<Requests, 'isInFlight' | 'requestsOn'>;
  readonly connections: Pick<Connections, 'isAccepted' | 'open'>;
}

/** Shared with the migration of custom protocols. */
export interface SharedParts {
  readonly destinations: Pick<Destinations, 'areReady' | 'list' | 'has'>;
  /** Connections of both kinds that are being offered. */
  readonly inTransit: Set<net.Socket>;
  /** True while connections migrate. False before the drain, and while there is no destination. */
  readonly isMoving: () => boolean;
  /** Called when a connection has migrated. */
  readonly moved: () => void;
}

export interface HttpMigration {
  /** Watches for the end of responses, when most connections become idle. */
  watchResponses(): void;
  /** Call it when a destination has been added: connections that were refused are offered again. */
  forgetRefusals(): void;
  /** Moves all connections that can migrate, within this time. A second call begins again. */
  moveAll(withinMs: number): void;
  /** Call it when there is no destination. */
  stop(): void;
  /** True if the connection migrates by itself as soon as it is idle. */
  willMove(socket: net.Socket): boolean;
}

/** How many offers to one destination may wait for an answer: if the destination is busy, their clients wait, too. */
const maxInFlight = 64;
/** All connections that can migrate do so within this time. */
const spreadMs = 250;
/** How often to check whether more connections may leave. */
const tickMs = 10;

export function createHttpMigration(
  parts: HttpMigrationParts,
  { destinations, inTransit, isMoving, moved }: SharedParts,
): HttpMigration {
  /** The destinations that have refused each connection. */
  let refusals = new WeakMap<net.Socket, Set<Destination>>();
  /** Connections whose latest response has just ended. */
  const finished = new Set<net.Socket>();
  let isCheckDue = false;
  let queue: Candidate[] = [];
  /** The index in the queue of the next candidate. */
  let next = 0;
  let moves = 0;
  let pace: Pace | null = null;
  let isMoveDue = false;

  function isMovable(socket: net.Socket): boolean {
    return isMoving() && mayMove(socket, parts) && !isRefusedByAll(socket);
  }

  function isRefusedByAll(socket: net.Socket): boolean {
    const refused = refusals.get(socket);
    return refused !== undefined && destinations.list().every((one) => refused.has(one));
  }

  /** Adds those of the movable connections that are idle. */
  function enqueue(movable: readonly net.Socket[], look: (server: net.Server) => IsBetween): void {
    // Not as arguments of one call: they may be tens of thousands.
    for (const candidate of candidatesAmong(movable, look)) queue.push(candidate);
  }

  /** Checks the connection together with all others whose response ends in this turn of the event loop. */
  function checkSoon(socket: net.Socket): void {
    finished.add(socket);
    if (isCheckDue) return;
    isCheckDue = true;
    setImmediate(() => {
      isCheckDue = false;
      const sockets = [...finished];
      finished.clear();
      enqueue(sockets.filter(isMovable), betweenMessagesAfterResponse);
      move();
    });
  }

  /** Returns the destination with the fewest offers so far, of those that keep up and have not refused this connection. */
  function destinationFor(socket: net.Socket): Destination | null {
    const refused = refusals.get(socket);
    return leastOffered(
      destinations.list().filter((one) => one.inFlight() < maxInFlight && refused?.has(one) !== true),
    );
  }

  function move(): void {
    if (!isMoving() || !destinations.areReady()) return;
    const allowed = pace?.allowed(monotonicMs()) ?? Infinity;
    for (; next < queue.length; next += 1) {
      if (moves >= allowed) {
        moveLater();
        return;
      }
      const candidate = queue[next];
      if (candidate === undefined || isRefusedByAll(candidate.socket)) continue;
      if (inTransit.has(candidate.socket) || !canLeave(candidate, parts)) {
        // Bytes have arrived. After a request, the end of its response queues the connection again; after an empty line, this does.
        if (bytesReadByThisWorker(candidate.socket) !== candidate.bytesRead) checkSoon(candidate.socket);
        continue;
      }
      const destination = destinationFor(candidate.socket);
      if (destination === null) return;
      moves += 1;
      offer(destination, candidate);
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

  function offer(destination: Destination, { socket, bytesRead }: Candidate): void {
    const to = listenerOfSocket(socket, parts.listenerOf);
    const handle = connectionHandleOf(socket);
    const peer = handle === null ? null : identityOf(handle);
    if (to === null || handle === null || peer === null) return;
    const isKept = bytesRead > 0 || hasSkippedFirstMessage(socket);
    const state = readSocketState(socket, parts.requests.requestsOn(socket));
    inTransit.add(socket);
    const readOn = holdReading(handle);
    const { allowHalfOpen: isHalfOpen } = socket;
    destination.offer({ kind: 'http', to, peer, isKept, isHalfOpen, socket: state }, handle, (isTaken) => {
      inTransit.delete(socket);
      if (isTaken) {
        moved();
        socket.destroy();
      } else {
        if (!socket.destroyed) readOn();
        // A destination that has exited, or that drains too, says nothing about the connection.
        if (destinations.has(destination)) {
          refusals.set(socket, (refusals.get(socket) ?? new Set()).add(destination));
        }
        queue.push({ socket, bytesRead });
      }
      move();
    });
  }

  return {
    watchResponses() {
      process
        .getBuiltinModule('node:diagnostics_channel')
        .subscribe('http.server.response.finish', (message) => {
          // Proven dispatch: documented, and the channel is Node.js's own.
          const { request, socket } = message as {
            readonly request: ServerResponse['req'];
            readonly socket: net.Socket;
          };
          checkSoon(socket);
          // The response has ended before the request: the rest of the request is still read.
          if (!request.complete) {
            request.once('close', () => {
              checkSoon(socket);
            });
          }
        });
    },
    forgetRefusals() {
      refusals = new WeakMap();
    },
    moveAll(withinMs) {
      const sockets = parts.connections.open().filter(isMovable);
      pace = createPace(sockets.length, monotonicMs(), Math.min(spreadMs, withinMs));
      moves = 0;
      queue = [];
      next = 0;
      enqueue(sockets, betweenMessages);
      // Each step has a turn of its own: both are slow the first time, and clients wait.
      setImmediate(move);
    },
    stop() {
      queue = [];
    },
    willMove: (socket) => isMovable(socket) && !hasStateOfApplication(socket),
  };
}

/** How many connections may have left by a given time. Pure: the caller has the clock. */
export interface Pace {
  allowed(nowMs: number): number;
}

/**
 * Creates the pace for `total` connections within `spreadMs` from `startMs` on. The number grows with the square of the time: few at first, so that
 * the destination is warm by the time it has all of them, while the source, which is warm, serves the rest.
 */
export function createPace(total: number, startMs: number, spreadMs: number): Pace {
  return {
    allowed(nowMs) {
      const part = (nowMs - startMs) / spreadMs;
      return part >= 1 ? Infinity : Math.max(1, Math.floor(total * part * part));
    },
  };
}
