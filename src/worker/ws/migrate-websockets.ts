/**
 * Decides when each WebSocket of a draining worker leaves: it migrates between two messages. Those that cannot migrate are closed with
 * 1001, evenly over the first half of the drain timeout; those that were never between two messages are closed at its end.
 */
import type { WebSocket } from 'ws';
import { goingAway } from '../drain/close-websockets.ts';
import { forEachPaced } from '../drain/pacing.ts';
import { progressOf } from './ws-internals.ts';

/** Thrown when the state is read while the WebSocket is busy. */
export class NotNow extends Error {}

export interface WebSocketMigrationParts {
  /** False if the WebSocket can never migrate. */
  readonly canMove: (ws: WebSocket) => boolean;
  /** Migrates the WebSocket. Resolves to true if it migrated; throws NotNow if it was busy at the last moment. */
  readonly move: (ws: WebSocket) => Promise<boolean>;
  readonly failed: (error: unknown) => void;
  /** The end of the first half of the drain timeout, on the clock of `performance.now()`. */
  readonly closedAt: number;
}

export interface WebSocketMigration {
  add(ws: WebSocket): void;
}

/** How many WebSockets are offered at a time, because their clients wait if the destination is busy. */
const maxInFlight = 32;
/** How long to wait before a busy WebSocket is checked again: `ws` does not report when it is done, for example with compressing. */
const againMs = 20;

/** Begins the migration of the WebSockets that are added. */
export function createWebSocketMigration({
  canMove,
  move,
  failed,
  closedAt,
}: WebSocketMigrationParts): WebSocketMigration {
  const remaining = new Set<WebSocket>();
  let queue: WebSocket[] = [];
  let unmovable: WebSocket[] = [];
  let inFlight = 0;
  let isCloseDue = false;

  const leftMs = (): number => Math.max(0, closedAt - performance.now());
  const isOpen = (ws: WebSocket): boolean => ws.readyState === ws.OPEN;

  function next(): void {
    while (inFlight < maxInFlight) {
      const ws = queue.shift();
      if (ws === undefined) return;
      if (!isOpen(ws)) continue;
      const progress = progressOf(ws);
      if (progress === 'unknown') closeSoon(ws);
      else if (progress === 'busy') tryLater(ws);
      else void tryNow(ws);
    }
  }

  async function tryNow(ws: WebSocket): Promise<void> {
    inFlight += 1;
    try {
      if (!(await move(ws))) closeSoon(ws);
    } catch (error) {
      if (error instanceof NotNow) {
        tryLater(ws);
      } else {
        failed(error);
        closeSoon(ws);
      }
    }
    inFlight -= 1;
    next();
  }

  function tryLater(ws: WebSocket): void {
    setTimeout(() => {
      queue.push(ws);
      next();
    }, againMs).unref();
  }

  function closeSoon(ws: WebSocket): void {
    unmovable.push(ws);
    if (isCloseDue) return;
    isCloseDue = true;
    // Delayed, so that it is paced together with all others that turn out to be unmovable in this turn of the event loop.
    setImmediate(() => {
      isCloseDue = false;
      forEachPaced(unmovable, leftMs(), close);
      unmovable = [];
    });
  }

  function close(ws: WebSocket): void {
    if (isOpen(ws)) ws.close(goingAway);
  }

  setTimeout(() => {
    queue = [];
    for (const ws of remaining) close(ws);
  }, leftMs()).unref();

  return {
    add(ws) {
      remaining.add(ws);
      ws.once('close', () => remaining.delete(ws));
      if (leftMs() === 0) close(ws);
      else if (canMove(ws)) queue.push(ws);
      else closeSoon(ws);
      setImmediate(next);
    },
  };
}
