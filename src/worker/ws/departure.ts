/**
 * The WebSockets of a draining worker: each leaves between two messages; those that cannot are closed with 1001, evenly over the
 * first half of the drain timeout, and at its end those that never came between two messages. It must not know what
 * is carried, nor how.
 */
import type { WebSocket } from 'ws';
import { forEachPaced } from '../drain/pacing.ts';
import { goingAway } from '../drain/close-websockets.ts';
import { standingOf } from './ws-internals.ts';

/** Thrown by whoever is asked for the state at a moment at which there is none. */
export class NotNow extends Error {}

export interface DepartureParts {
  /** Can its messages move at all? */
  readonly canMove: (ws: WebSocket) => boolean;
  /** Resolves to true when it was taken. Throws NotNow when it was busy at the last moment. */
  readonly move: (ws: WebSocket) => Promise<boolean>;
  readonly failed: (error: unknown) => void;
  /** The first half of the drain timeout, as `performance.now()` counts. */
  readonly closedAt: number;
}

export interface Departure {
  /** This one, too. */
  add(ws: WebSocket): void;
}

/** Offers on their way: so many clients wait when the other worker is busy. */
const window = 32;
/** How soon to look again at one that says nothing when it is done, as one that compresses. */
const againMs = 20;

export function createDeparture({ canMove, move, failed, closedAt }: DepartureParts): Departure {
  const remaining = new Set<WebSocket>();
  let queue: WebSocket[] = [];
  let unmovable: WebSocket[] = [];
  let inTransit = 0;
  let isCloseDue = false;

  const leftMs = (): number => Math.max(0, closedAt - performance.now());
  const isOpen = (ws: WebSocket): boolean => ws.readyState === ws.OPEN;

  function next(): void {
    while (inTransit < window) {
      const ws = queue.shift();
      if (ws === undefined) return;
      if (!isOpen(ws)) continue;
      const standing = standingOf(ws);
      if (standing === 'unknown') closeSoon(ws);
      else if (standing === 'busy') tryLater(ws);
      else void tryNow(ws);
    }
  }

  async function tryNow(ws: WebSocket): Promise<void> {
    inTransit += 1;
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
    inTransit -= 1;
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
    // With all of those that are told the same now.
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
