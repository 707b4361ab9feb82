/**
 * The connections of the control server, and their limits, so that clients which leak them do not lock the operator out: a request
 * has to be complete in time, and those that last (followers of the events, waiting requests) have limits of their own.
 */
import type { Socket } from 'node:net';
import { longestTimerMs } from '../../shared/durations.ts';
import { Refusal } from './http-answers.ts';

/** Why a connection lasts longer than a request does. */
export type Lasting = 'follows' | 'waits';

export interface ControlConnections {
  add(socket: Socket): void;
  /**
   * Returns false for a further request on a connection, sent behind the first one. The connection ends after the first response, so such a request is not
   * answered: Node.js 20 to 24 never close a response that waits for its turn when the connection ends.
   */
  isFirst(socket: Socket): boolean;
  /** Moves a connection to those whose answer may take hours. @throws Refusal if there are too many of its kind. */
  keep(socket: Socket, kind: Lasting): void;
}

/** How long a request may take, from the connection to the end of an answer that does not wait for anything. */
const requestMs = 10_000;
/** The time is counted in so many parts. What has arrived in the meantime is read between two of them, so a master that is busy closes no request unread. */
const parts = 10;
/** How many requests there may be at once. Beyond this, the oldest one is closed, because the newest may be the operator's. */
const requestLimit = 256;
const lastingLimits: Readonly<Record<Lasting, number>> = { follows: 128, waits: 256 };

const refusals: Readonly<Record<Lasting, string>> = {
  follows: `${lastingLimits.follows} connections already follow events: close some of them`,
  waits: `${lastingLimits.waits} requests already wait for their outcome: send the request without wait`,
};

/**
 * Options for a server whose connections are added here. Node.js would look every 30 s for requests that take too long. So that an idle master stays idle,
 * that look is put off by 25 days, the longest interval that a timer can have, and with it the two timeouts that it enforces.
 */
export const withoutChecks: Readonly<
  Record<'connectionsCheckingInterval' | 'headersTimeout' | 'requestTimeout', number>
> = {
  connectionsCheckingInterval: longestTimerMs,
  headersTimeout: 0,
  requestTimeout: 0,
};

export function createConnections(timeMs: number = requestMs): ControlConnections {
  /** Connections with a request that does not wait for anything, oldest first, each with the timer that leads to its end. */
  const brief = new Map<Socket, NodeJS.Timeout>();
  const used = new WeakSet<Socket>();
  const lasting: Readonly<Record<Lasting, Set<Socket>>> = { follows: new Set(), waits: new Set() };

  const endAfter = (socket: Socket, left: number): void => {
    const timer = setTimeout(() => {
      if (left > 1) endAfter(socket, left - 1);
      else socket.destroy();
    }, timeMs / parts);
    brief.set(socket, timer.unref());
  };

  const forget = (socket: Socket): void => {
    clearTimeout(brief.get(socket));
    brief.delete(socket);
  };

  return {
    add(socket) {
      const [oldest] = brief.keys();
      if (oldest !== undefined && brief.size >= requestLimit) {
        forget(oldest);
        oldest.destroy();
      }
      endAfter(socket, parts);
      socket.once('close', () => {
        forget(socket);
      });
    },
    isFirst(socket) {
      const isFirst = !used.has(socket);
      used.add(socket);
      return isFirst;
    },
    keep(socket, kind) {
      const kept = lasting[kind];
      if (kept.size >= lastingLimits[kind]) throw new Refusal(503, refusals[kind]);
      forget(socket);
      kept.add(socket);
      socket.once('close', () => kept.delete(socket));
    },
  };
}
