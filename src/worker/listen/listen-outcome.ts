/** How listens end. It must not know who waits for it, or why. */
import type net from 'node:net';

export interface ListenOutcomes {
  /**
   * Calls `ended` once, in the turn after the one in which the server listens, has failed or was closed: an error that
   * the application does not handle has ended the process by then.
   */
  whenEnded(server: net.Server, ended: () => void): void;
  /** A server says something. */
  heard(server: net.Server, event: string | symbol): void;
}

const endings: ReadonlySet<string | symbol> = new Set(['listening', 'error', 'close']);

export function createListenOutcomes(): ListenOutcomes {
  const waiting = new Map<net.Server, () => void>();
  return {
    whenEnded(server, ended) {
      const before = waiting.get(server);
      waiting.set(server, () => {
        before?.();
        ended();
      });
    },
    heard(server, event) {
      if (waiting.size === 0 || !endings.has(event)) return;
      const ended = waiting.get(server);
      if (ended === undefined) return;
      waiting.delete(server);
      setImmediate(ended);
    },
  };
}
